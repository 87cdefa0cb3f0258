package station

// initial is a file to begin with. All that a file may hold stands in it.
const initial = `# The file of a station: smpctl station FILE. Paths are relative to it; a key that is not known is an error.
name = "line1"                     # records tell by it who made them

[image]
file = "app.signed.bin"            # what each board gets: an image, or an update package
# sha256 = "…"                     # another file under this name is refused
# key = "fw.pub.pem"               # a file that this key did not sign is refused
# mode = "confirm-after"           # confirm-after, test, permanent or upload-only

[boards]
match = "usb:2fe3:0004"            # smpctl ports shows what is there
# baud = 115200
# id = "usb"                       # what names a board: usb, label, shell:COMMAND, settings:NAME, os-info:FORMAT, command:CMD

# [boards.expect]
# board = "acme_v3"                # a board that says another name (smpctl os-info i) is refused

# [slots]                          # without them each place where a board is plugged in is a slot
# "1-1.1" = "A1"                   # smpctl ports shows locations
# "1-1.2" = "A2"

[run]
# start = "plug"                   # plug, scan (the label first) or button
# label = '^SN\d{7}$'              # what a label looks like, with start = "scan"
# repeat = "refuse"                # a board that passed before with this image: refuse, warn or allow
# jobs = 64                        # boards at a time
# retry = 0                        # more tries of a board without a reply
# stop_after = 3                   # failures in a row after which somebody has to look
# quota = 500                      # boards that pass
# before = ["./power-on.sh"]       # commands for each board: before, before the confirm, and after
# check = ["./selftest.sh"]
# after = ["./print-label.sh"]

[records]
dir = "records"
# key = "/safe/station.pem"        # signs them; made if it is not there. Without it: that of this user
# send = "https://mes.example/v1/records"   # or postgres://USER@HOST/DATABASE
# token_file = "token"
# ca_file = "plant-ca.pem"         # who may vouch for that server, instead of those that the system trusts
# [records.fields]
# order = "4711"

# [page]
# listen = "127.0.0.1:8417"        # another address than this computer's needs all of:
# cert = "cert.pem"
# key = "key.pem"
# token_file = "page-token"        # what browsers are asked for
`
