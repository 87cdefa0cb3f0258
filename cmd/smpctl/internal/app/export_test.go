package app

// What is written as JSON beside the results of commands.
type (
	ErrorEvent = errorEvent
	TextResult = textResult
)
