# What a developer runs. .ci/run has all of it and more, as CI does.
.PHONY: build test lint fuzz bench interop schema pictures release

build:
	CGO_ENABLED=0 go build -trimpath -o smpctl ./cmd/smpctl

test:
	go test ./...

lint:
	bash .ci/run format vet lint

fuzz: # FUZZTIME=1m for longer
	bash .ci/run fuzz

bench: # compare two outputs: go tool -modfile=tools/go.mod benchstat OLD NEW
	go test ./transport ./image/... ./smp/sim -run '^$$' -bench . -benchmem
	go test ./smp -run '^$$' -bench UploadWire -benchtime 1x
	go test ./cmd/smpctl -run '^$$' -bench Many -benchtime 1x

interop:
	bash .ci/interop

schema: # writes docs/schema anew, from the types and their comments
	UPDATE_SCHEMA=1 go test -count=1 -run TestResults ./cmd/smpctl/internal/...
	UPDATE_SCHEMA=1 go test -count=1 -run TestSchemas ./cmd/smpctl/internal/cli

pictures: # takes docs/pictures anew, with a real Chromium
	cd .ci/browser && go test -count=1 -run TestPictures -pictures ../../docs/pictures .

release: # all artefacts in dist/; VERSION=v1.2.3, else the tag of this commit
	bash .ci/release $(VERSION)
