package view

import (
	"testing"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/clitest"
)

// TestResults pins the JSON of every result.
func TestResults(t *testing.T) {
	clitest.CheckResults(t, []clitest.Document{
		{Document: imageList{}, Commands: "image list, image test, image confirm, image erase",
			Keys: "images[].image images[].slot images[].version images[].hash images[].bootable images[].pending " +
				"images[].confirmed images[].active images[].permanent split_status"},
		{Document: slotList{}, Commands: "image slots",
			Keys: "images[].image images[].slots[].slot images[].slots[].bytes images[].slots[].upload_image_id? " +
				"images[].slots[].errno? images[].max_image_bytes?"},
	})
}
