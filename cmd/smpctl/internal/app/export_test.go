package app

// What is written as JSON beside results.
type (
	Failure       = jsonFailure
	ProgressEvent = progressEvent
)
