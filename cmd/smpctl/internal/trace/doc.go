// Package trace writes the file of --trace: the packets of a command in words, with times, what was sent again, and
// all bytes. It reads the lines that package transport writes (transport.Options.Trace) and makes rows of them:
//
//	#  seconds       ms   seq ver  len
//	  0.000353     +0.4 > 187 v2     9  write os echo  {"d": "hello"}                              | 0a000009…
//	  0.005875     +5.5 < 187 v2    10  write rsp os echo, 5.5 ms  {_ "r": "hello"}                | 0b00000a…
//	  1.000000   +994.1 <         text  uart:~$                                                    | 75617274…
//	  3.250000  +2250.0 !         link  device disconnected: it ended the connection
//
// The first 120 columns are for people. Bytes stand in hex behind a bar in column 161, on the last row of a packet or
// text: whoever wants to have them takes each row from column 163. Rows that go on the one above begin with 36
// spaces. All characters are printable ASCII.
//
// What decides here is pure: File alone knows a file and the time.
package trace
