package app

// What is written as JSON beside results.
type (
	ErrorEvent    = errorEvent
	ProgressEvent = progressEvent
)
