package records

import (
	"fmt"
	"math"
	"time"
)

// The pictures' measures, in the units of their view boxes.
const (
	chartWidth  = 960.0
	chartHeight = 240.0
	chartLeft   = 48.0 // for the numbers of the axis
	chartBottom = 24.0 // for the times below it
	chartTop    = 12.0
	rowHeight   = 26.0
	rowLeft     = 180.0
	rowRight    = 190.0 // for the numbers behind the bars
)

// rect is a bar.
type rect struct {
	X, Y, W, H  float64
	Class, Text string // colour, and what it says
}

// label is a text in a picture.
type label struct {
	X, Y   float64
	Text   string
	Anchor string // start, middle or end
}

// line is a line of an axis.
type line struct{ Y float64 }

// chart is a picture, ready to be drawn.
type chart struct {
	Width, Height float64
	Left          float64
	Lines         []line
	Bars          []rect
	Labels        []label
	Curves        []curve
}

// curve is a line through the points of a picture.
type curve struct{ Points, Class string }

// boardsChart shows how many boards there were, by result.
func boardsChart(list []period, each time.Duration) chart {
	most := 1
	for _, p := range list {
		most = max(most, p.Total())
	}
	top, step := scale(float64(most))
	c := timeChart(list, each, top, step, "%g")
	for i, p := range list {
		x, width := column(i, len(list))
		y := chartHeight - chartBottom
		text := fmt.Sprintf("%s: %d passed, %d failed, %d unknown", periodText(p, each), p.Pass, p.Fail, p.Unknown)
		for _, part := range []struct {
			n     int
			class string
		}{{p.Pass, "pass"}, {p.Fail, "fail"}, {p.Unknown, "unknown"}} {
			if part.n == 0 {
				continue
			}
			h := float64(part.n) / top * plotHeight
			y -= h
			c.Bars = append(c.Bars, rect{round(x), round(y), round(width), round(h), part.class, text})
		}
	}
	return c
}

// yieldChart shows the share that passed.
func yieldChart(list []period, each time.Duration) chart {
	c := timeChart(list, each, 100, 25, "%g %%")
	points := ""
	for i, p := range list {
		if p.Total() == 0 {
			continue
		}
		x, width := column(i, len(list))
		x, y := round(x+width/2), round(chartHeight-chartBottom-p.Yield()/100*plotHeight)
		points += fmt.Sprintf("%g,%g ", x, y)
		c.Bars = append(c.Bars, rect{x - 2, y - 2, 4, 4, "point", fmt.Sprintf("%s: %.1f %% of %d", periodText(p, each),
			p.Yield(), p.Total())})
	}
	c.Curves = []curve{{points, "yield"}}
	return c
}

const plotHeight = chartHeight - chartBottom - chartTop

// column is where a bar of several stands, and how wide it is.
func column(i, of int) (x, width float64) {
	each := (chartWidth - chartLeft) / float64(of)
	return chartLeft + (float64(i)+0.1)*each, 0.8 * each
}

// timeChart is a picture with its axes.
func timeChart(list []period, each time.Duration, top, step float64, form string) chart {
	c := chart{Width: chartWidth, Height: chartHeight, Left: chartLeft}
	for v := 0.0; v <= top; v += step {
		y := round(chartHeight - chartBottom - v/top*plotHeight)
		c.Lines = append(c.Lines, line{y})
		c.Labels = append(c.Labels, label{chartLeft - 6, y + 4, fmt.Sprintf(form, v), "end"})
	}
	const labels = 6
	for i := 0; i < len(list); i += (len(list) + labels - 1) / labels {
		x, width := column(i, len(list))
		c.Labels = append(c.Labels, label{round(x + width/2), chartHeight - 6, periodText(list[i], each), "middle"})
	}
	return c
}

func periodText(p period, each time.Duration) string {
	if each < 24*time.Hour {
		return p.From.Format("2006-01-02 15:04")
	}
	return p.From.Format(time.DateOnly)
}

// scale is a round number of at least most, and that of its steps.
func scale(most float64) (top, step float64) {
	step = math.Pow(10, math.Floor(math.Log10(most)))
	for _, part := range []float64{0.2, 0.25, 0.5, 1} {
		if s := step * part; most/s <= 5 && (s >= 1 || most < 1) {
			step = s
			break
		}
	}
	step = max(step, 1)
	return math.Ceil(most/step) * step, step
}

// rows is a picture of bars that lie, each with its name before and its number behind.
func rows(list []named, value, mark func(named) float64, text func(named) string, class string) chart {
	c := chart{Width: chartWidth, Height: rowHeight*float64(len(list)) + 4, Left: rowLeft}
	most := 0.0
	for _, n := range list {
		most = max(most, value(n), mark(n))
	}
	length := func(v float64) float64 { return round(v / max(most, 1e-9) * (chartWidth - rowLeft - rowRight)) }
	for i, n := range list {
		y := rowHeight * float64(i)
		c.Labels = append(c.Labels, label{rowLeft - 8, y + 18, n.Name, "end"},
			label{rowLeft + max(length(value(n)), length(mark(n))) + 8, y + 18, text(n), "start"})
		c.Bars = append(c.Bars, rect{rowLeft, y + 4, length(value(n)), rowHeight - 8, class, text(n)})
		if m := mark(n); m > 0 {
			c.Bars = append(c.Bars, rect{rowLeft + length(m) - 1, y + 2, 2, rowHeight - 4, "mark", text(n)})
		}
	}
	return c
}

func none(named) float64 { return 0 }

func round(v float64) float64 {
	v = math.Round(v*10) / 10
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return 0
	}
	return v
}
