package dfu

// For tests of what is pure.
type (
	Device  = device
	Verdict = verdict
)

var (
	Advice    = advice
	PlanFor   = plan
	Resolve   = resolve
	VerdictOf = Request.verdict
)

const (
	NotDone    = notDone
	DoneNow    = doneNow
	DoneBefore = doneBefore
)

func (v verdict) String() string { return [...]string{"undone", "done", "done before"}[v] }
