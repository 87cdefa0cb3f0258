package app

// What is written as JSON beside the results of commands.
type (
	ErrorEvent    = errorEvent
	ProgressEvent = progressEvent
	TextEvent     = textEvent
	WaitingEvent  = waitingEvent
	WarningEvent  = warningEvent
	LogEvent      = logEvent
	TextResult    = textResult
)
