// Package page is the web page of a station: it shows states and takes what an operator enters. It knows nothing of
// boards. Whoever has it calls [Page.Show] with a whole [View] as often as something changes, and reads [Page.Inputs].
//
// Every view is sent whole, so a browser that lost the station needs no history to catch up, and a slow one misses
// views instead of holding the station up. What a board says of itself (serial numbers, versions, errors) is hostile:
// it reaches the browser as JSON and becomes text there, never markup.
//
// Who gets in: the page is for this computer, and only a Host that is localhost or a loopback address is answered.
// With [Options.Token] it may be served elsewhere, behind TLS.
//
// # What tests hold on to
//
// Elements have these ids, and these attributes that change:
//
//	body           data-connection = live | lost; data-page = login on the page that asks for the token
//	#station       the station's name (h1);  #image  what is flashed
//	#entry, #scan  form and field of a scanner; keys land in it wherever the focus is, Enter sends
//	#sound         button, aria-pressed; click once for sounds
//	#tiles         list of tiles, data-columns; each li has data-slot, data-state (see State), data-percent while known
//	  in a tile    .slot .board .word .detail .advice, progress, and button.start when it can be started by a button
//	#counters      dd with data-count = pass | fail | unknown | yield | left | unsent
//	#messages      li with data-level = info | warning | error and data-message; button.acknowledge
//	#history       body of a table, newest row first, each with data-result = pass | fail | unknown; at most HistoryMax
//	#announce, #alarm  live regions: the last pass, the last failure
//	#lost          shown while the station is not heard; #deaf while the window has no focus and hears no scanner
//	#token, #login field and form of the page that asks for the token
//
// Requests: GET /, /page.js, /page.css, /icon.svg, /stream; POST of JSON to /scan {"text"}, /button {"slot"},
// /acknowledge {"message"}, /login {"token"}, answered with 204.
package page
