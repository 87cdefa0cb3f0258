package smp_test

import (
	"bytes"
	"fmt"
	"time"
)

// Sizes of the picture in pixels.
const (
	pictureWidth  = 880
	pictureLeft   = 60 // of the panels
	pictureRight  = 860
	pictureTop    = 46
	panelDistance = 34 // room for the name of the next one
)

// pictureHead has colours for light and dark. The picture brings its own background, for a viewer may be dark on a
// light page.
const pictureHead = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" role="img" ` +
	`font-family="sans-serif" font-size="13">
<style>
.back{fill:#fff}.ink{fill:#24292f}.dim{fill:#57606a}.grid{stroke:#d0d7de;fill:none}
.line{stroke:#0550ae;stroke-width:1.5;fill:none}.area{fill:#0550ae;fill-opacity:.22}
.lost{stroke:#cf222e;stroke-opacity:.35}.mark{stroke:#cf222e;stroke-width:1.7;fill:none}
@media(prefers-color-scheme:dark){.back{fill:#0d1117}.ink{fill:#e6edf3}.dim{fill:#9198a1}.grid{stroke:#30363d}
.line{stroke:#79c0ff}.area{fill:#79c0ff}.lost,.mark{stroke:#ff7b72}}
</style>
<title>One upload: acknowledged bytes, requests in flight, packet size and gap between lines over time</title>
<rect class="back" width="100%%" height="100%%"/>
`

// panel is one value over time.
type panel struct {
	name   string
	height float64 // pixels
	top    float64 // of the scale
	ticks  []float64
	value  func(watched) float64
	area   func(watched) float64 // filled below; may be nil
}

func drawnPanels(end watched) []panel {
	kB := float64(end.Acknowledged) / 1000
	return []panel{
		{"acknowledged (kB)", 150, kB, []float64{0, 20, 40, 60},
			func(m watched) float64 { return float64(m.Acknowledged) / 1000 }, nil},
		{"requests in flight: line allowed, area sent", 84, 3.5, []float64{0, 1, 2, 3},
			func(m watched) float64 { return float64(m.Allowed) }, func(m watched) float64 { return float64(m.InFlight) }},
		{"largest packet (bytes)", 60, 440, []float64{0, 182, 380},
			func(m watched) float64 { return float64(m.PacketLimit) }, nil},
		{"gap between lines (ms)", 60, 3, []float64{0, 2},
			func(m watched) float64 { return m.LineGap.Seconds() * 1000 }, nil},
	}
}

// picture is an SVG in the making.
type picture struct {
	bytes.Buffer
	moments []watched
	end     time.Duration
}

// drawMoments draws panels one below the other, all with the same time, losses marked in all of them.
func drawMoments(moments []watched) []byte {
	end := moments[len(moments)-1]
	p := &picture{moments: moments, end: end.at}
	panels := drawnPanels(end)
	bottom := float64(pictureTop)
	for _, n := range panels {
		bottom += n.height + panelDistance
	}
	bottom -= panelDistance
	fmt.Fprintf(p, pictureHead, pictureWidth, int(bottom)+46)
	p.losses(pictureTop, bottom)
	y := float64(pictureTop)
	for _, n := range panels {
		p.panel(n, y)
		y += n.height + panelDistance
	}
	p.lossMarks(panels[0])
	p.timeAxis(bottom)
	p.WriteString("</svg>\n")
	return p.Bytes()
}

func (p *picture) x(at time.Duration) float64 {
	return pictureLeft + (pictureRight-pictureLeft)*at.Seconds()/p.end.Seconds()
}

func (p *picture) text(class, anchor string, x, y float64, text string) {
	fmt.Fprintf(p, "<text class=%q text-anchor=%q x=\"%.0f\" y=\"%.0f\">%s</text>\n", class, anchor, x, y, text)
}

func (p *picture) panel(n panel, y float64) {
	p.text("ink", "start", pictureLeft, y-8, n.name)
	for _, tick := range n.ticks {
		at := n.y(y, tick)
		p.text("dim", "end", pictureLeft-8, at+4, fmt.Sprintf("%g", tick))
		fmt.Fprintf(p, "<path class=\"grid\" d=\"M%d %.1fH%d\"/>\n", pictureLeft, at, pictureRight)
	}
	if n.area != nil {
		zero := n.y(y, 0)
		fmt.Fprintf(p, "<path class=\"area\" d=\"M%d %.1f%sV%.1fZ\"/>\n", pictureLeft, zero, p.steps(n, y, n.area), zero)
	}
	begin := n.y(y, n.value(p.moments[0]))
	fmt.Fprintf(p, "<path class=\"line\" d=\"M%d %.1f%s\"/>\n", pictureLeft, begin, p.steps(n, y, n.value))
}

// y is where a value is in a panel that begins at top.
func (n panel) y(top, value float64) float64 { return top + n.height*(1-value/n.top) }

// steps is the path of a value, horizontal until it changes.
func (p *picture) steps(n panel, top float64, value func(watched) float64) string {
	var path []byte
	before := -1.0
	for _, m := range p.moments {
		if v := value(m); v != before {
			path = fmt.Appendf(path, "H%.1fV%.1f", p.x(m.at), n.y(top, v))
			before = v
		}
	}
	return string(fmt.Appendf(path, "H%d", pictureRight))
}

// losses draws a line down the whole picture where the upload learned of a loss.
func (p *picture) losses(top, bottom float64) {
	p.eachLoss(func(m watched) {
		fmt.Fprintf(p, "<path class=\"lost\" d=\"M%.1f %.0fV%.0f\"/>\n", p.x(m.at), top, bottom)
	})
}

// lossMarks draws crosses where the upload stood then.
func (p *picture) lossMarks(n panel) {
	p.eachLoss(func(m watched) {
		fmt.Fprintf(p, "<path class=\"mark\" d=\"M%.1f %.1fl8 8m0-8l-8 8\"/>\n", p.x(m.at)-4, n.y(pictureTop, n.value(m))-4)
	})
	fmt.Fprintf(p, "<path class=\"mark\" d=\"M%d %dl8 8m0-8l-8 8\"/>\n", pictureRight-190, pictureTop-18)
	p.text("ink", "start", pictureRight-176, pictureTop-9, "a loss, when it is noticed")
}

func (p *picture) eachLoss(draw func(watched)) {
	lost := 0
	for _, m := range p.moments {
		if m.Lost > lost {
			lost = m.Lost
			draw(m)
		}
	}
}

func (p *picture) timeAxis(bottom float64) {
	for at := time.Duration(0); at <= p.end; at += time.Second / 2 {
		x := p.x(at)
		fmt.Fprintf(p, "<path class=\"grid\" d=\"M%.1f %.0fv5\"/>\n", x, bottom)
		p.text("dim", "middle", x, bottom+18, fmt.Sprintf("%g", at.Seconds()))
	}
	p.text("ink", "middle", (pictureLeft+pictureRight)/2, bottom+38, "seconds since the first request")
}
