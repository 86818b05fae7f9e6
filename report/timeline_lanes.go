package report

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/shakedown-test/shakedown/evidence"
)

// world draws the impairments as bars, and the steps of the check, power and exits as flags below them.
func (p *plotter) world(events []evidence.Event) {
	top := p.y
	p.impairments(events)
	var flags []evidence.Event
	for _, e := range events {
		switch e.Kind {
		case evidence.Step, evidence.Power, evidence.Exit, evidence.Seen:
			if p.shows(p.time(e)) {
				flags = append(flags, e)
			}
		}
	}
	if len(flags) > maxWorld {
		p.Notes = append(p.Notes, fmt.Sprintf("%d more steps are not shown.", len(flags)-maxWorld))
		flags = flags[:maxWorld]
	}
	if len(flags) > 0 {
		rows := p.labels(flags, p.y+12, 14, 2, 44, func(e evidence.Event) string { return e.Text })
		for _, e := range flags {
			class := "flag"
			if e.Kind == evidence.Exit {
				class = "flag bad"
			}
			p.Shapes = append(p.Shapes, plotShape{Class: class, D: fmt.Sprintf("M%.1f %.1fv16", p.x(p.time(e)), p.y+2), Title: p.say(e)})
		}
		p.y += 6 + 14*float64(max(1, rows))
	}
	if p.y > top {
		p.lane(top+12, "World")
		p.y += 10
	}
}

// impairments draws a bar per impairment, at most four that overlap the time shown.
func (p *plotter) impairments(events []evidence.Event) {
	type span struct {
		text     string
		from, to float64
		open     bool
	}
	var spans []span
	for _, e := range events {
		switch e.Kind {
		case evidence.Impair:
			spans = append(spans, span{e.Text, p.time(e), p.to, true})
		case evidence.Heal:
			for i := range spans {
				if s := &spans[i]; s.open && s.text == e.Text {
					s.to, s.open = p.time(e), false
					break
				}
			}
		}
	}
	spans = slices.DeleteFunc(spans, func(s span) bool { return s.to < p.from || s.from > p.to })
	if len(spans) > 4 {
		p.Notes = append(p.Notes, fmt.Sprintf("%d more impairments are not shown.", len(spans)-4))
		spans = spans[:4]
	}
	for _, s := range spans {
		x0, x1 := p.x(s.from), p.x(s.to)
		p.Shapes = append(p.Shapes, plotShape{Class: "impair", D: box(x0, p.y, max(x1-x0, 2), 17), Title: fmt.Sprintf("%s, from %s to %s", s.text, secs(s.from), secs(s.to))})
		text := plotText{X: x0 + 6, Y: p.y + 12.5, Class: "impaired", Text: shorten(s.text, 40)}
		if width := float64(len([]rune(text.Text))) * glyphWidth; text.X+width > plotRight {
			text.X = max(plotLeft, plotRight-width)
		}
		p.Texts = append(p.Texts, text)
		p.y += 21
	}
}

// conn is the life of one connection, in seconds on the axis; negative when it did not happen.
type conn struct {
	n                   int
	open, secure, close float64
	data                bool
	how                 string // it ended
	bad                 bool   // with an alert
}

func (p *plotter) connections(events []evidence.Event) int {
	byN := map[int]*conn{}
	var refused []evidence.Event
	for _, e := range events {
		t := p.time(e)
		if e.Kind == evidence.Refused && p.shows(t) {
			refused = append(refused, e)
		}
		if e.Conn == 0 {
			continue
		}
		c := byN[e.Conn]
		if c == nil {
			c = &conn{n: e.Conn, open: t, secure: -1, close: -1}
			byN[e.Conn] = c
		}
		switch e.Kind {
		case evidence.Secure:
			c.secure = t
		case evidence.Bytes, evidence.In:
			c.data = true
		case evidence.Alert:
			c.bad, c.how = true, "alert "+e.Text
		case evidence.Close:
			c.close = t
			if c.how == "" {
				c.how = e.Text
			}
		}
	}
	conns := slices.SortedFunc(maps.Values(byN), func(a, b *conn) int { return cmp.Compare(a.n, b.n) })
	conns = slices.DeleteFunc(conns, func(c *conn) bool { return c.open > p.to || c.close >= 0 && c.close < p.from })
	switch {
	case len(conns) > maxConns:
		var at []float64
		for _, c := range conns {
			if p.shows(c.open) {
				at = append(at, c.open)
			}
		}
		p.lane(p.y+22, "Connections")
		p.density(at, "conns", p.y+34, -28, "opened")
		p.y += 46
	case len(conns) > 0:
		p.lane(p.y+11, "Connections")
		for _, c := range conns {
			p.bar(c)
		}
		p.y += 10
	}
	p.ticks(refused, "Refused", "refused", p.y+24, -20)
	if len(refused) > 0 {
		p.y += 34
	}
	return len(conns)
}

// bar draws one connection: thin until the TLS handshake is done, full from there or from the first plain data.
func (p *plotter) bar(c *conn) {
	end := c.close
	if end < 0 {
		end = p.to
	}
	title := fmt.Sprintf("connection %d: open at %s", c.n, secs(c.open))
	from, class := c.open, "plain"
	if c.secure >= 0 {
		title += ", TLS at " + secs(c.secure)
		from, class = c.secure, "secure"
	} else if !c.data {
		from = end
	}
	if c.close >= 0 {
		title += fmt.Sprintf(", %s at %s", c.how, secs(c.close))
	}
	x0, xs, x1 := p.x(c.open), p.x(from), p.x(end)
	if xs > x0 {
		p.Shapes = append(p.Shapes, plotShape{Class: "opening", D: box(x0, p.y+5, xs-x0, 4), Title: title})
	}
	if x1 > xs || class == "secure" {
		p.Shapes = append(p.Shapes, plotShape{Class: class, D: box(xs, p.y+1, max(x1-xs, 1.5), 12), Title: title})
	}
	if c.close >= 0 && p.shows(c.close) {
		class := "end"
		if c.bad || strings.Contains(c.how, "reset") || strings.HasPrefix(c.how, "error") {
			class = "end bad"
		}
		p.Shapes = append(p.Shapes, plotShape{Class: class, D: fmt.Sprintf("M%.1f %.1fv14", x1, p.y)})
		if how := shorten(c.how, 20); x1+8+float64(len([]rune(how)))*glyphWidth < plotRight {
			p.Texts = append(p.Texts, plotText{X: x1 + 6, Y: p.y + 11, Class: "small", Text: how})
		}
	}
	p.y += 18
}

// packets draws what came up from the line and what went down from it, and says how much it was.
func (p *plotter) packets(events []evidence.Event) string {
	var in, out, bad []evidence.Event
	for _, e := range events {
		if !p.shows(p.time(e)) {
			continue
		}
		switch e.Kind {
		case evidence.In:
			in = append(in, e)
		case evidence.Out:
			out = append(out, e)
		case evidence.Bad:
			bad = append(bad, e)
		}
	}
	said := plural(len(in), "packet") + " in, " + fmt.Sprint(len(out)) + " out"
	if len(in)+len(out)+len(bad) == 0 {
		return said
	}
	base := p.y + 54
	p.Shapes = append(p.Shapes, plotShape{Class: "base", D: fmt.Sprintf("M%.1f %.1fH%.1f", plotLeft, base, plotRight)})
	p.ticks(in, "Packets in ↑", "in", base, -22)
	p.ticks(bad, "", "in bad", base, -30)
	p.ticks(out, "Packets out ↓", "out", base, 22)
	p.y = base + 58
	return said
}

func (p *plotter) console(events []evidence.Event) {
	var lines []evidence.Event
	for _, e := range events {
		if e.Kind == evidence.Console && p.shows(p.time(e)) {
			lines = append(lines, e)
		}
	}
	if len(lines) == 0 {
		return
	}
	p.ticks(lines, "Console", "said", p.y+20, -8)
	p.y += 30
}

// ticks draws a mark per event from the height y on, length long (up when negative), with labels beyond them where there is room.
func (p *plotter) ticks(events []evidence.Event, name, class string, y, length float64) {
	if len(events) == 0 {
		return
	}
	if name != "" {
		p.lane(y+length/2+4, name)
	}
	if len(events) > maxTicks {
		at := make([]float64, len(events))
		for i, e := range events {
			at[i] = p.time(e)
		}
		p.density(at, class, y, length*1.3, "")
		return
	}
	for _, e := range events {
		x := p.x(p.time(e))
		d := fmt.Sprintf("M%.1f %.1fv%.1f", x, y, length)
		if class == "in" || class == "out" {
			tip := -4.0
			if length > 0 {
				tip = 4
			}
			d += fmt.Sprintf("m-3 %.1fl3 %.1fl3 %.1f", -tip, tip, -tip)
		}
		p.Shapes = append(p.Shapes, plotShape{Class: "tick " + class, D: d, Title: p.say(e)})
	}
	switch {
	case class == "said":
		p.labels(events, y-1, 12, 1, 40, func(e evidence.Event) string { return e.Text })
	case length < 0:
		p.labels(events, y+length-5, -12, 2, 18, packetName)
	default:
		p.labels(events, y+length+13, 12, 2, 18, packetName)
	}
}

// density draws how many marks fall into each of sixty slices of the time.
func (p *plotter) density(at []float64, class string, y, length float64, verb string) {
	const slicesOfTime = 60
	var n [slicesOfTime]int
	for _, t := range at {
		i := int((t - p.from) / (p.to - p.from) * slicesOfTime)
		n[min(max(i, 0), slicesOfTime-1)]++
	}
	most := slices.Max(n[:])
	if most == 0 {
		return
	}
	width := (plotRight - plotLeft) / slicesOfTime
	var d strings.Builder
	for i, c := range n {
		if c > 0 {
			d.WriteString(box(plotLeft+float64(i)*width+0.5, y, width-1, length*float64(c)/float64(most)))
		}
	}
	rate := float64(most) / ((p.to - p.from) / slicesOfTime)
	text := strings.TrimSpace(fmt.Sprintf("%d %s", len(at), verb)) + fmt.Sprintf(", up to %.0f a second", rate)
	if rate < 1 {
		text = strings.TrimSpace(fmt.Sprintf("%d %s", len(at), verb))
	}
	p.Shapes = append(p.Shapes, plotShape{Class: "density " + class, D: d.String(), Title: text})
	label := y + length - 5
	if length > 0 {
		label = y + length + 13
	}
	p.Texts = append(p.Texts, plotText{X: plotLeft, Y: label, Class: "small", Text: text})
}

// labels writes a text beside each mark where it does not run into another, in so many rows from the height y on. It returns how many
// rows it used.
func (p *plotter) labels(events []evidence.Event, y, rowHeight float64, rows, limit int, text func(evidence.Event) string) int {
	used := 0
	ends := make([]float64, rows)
	for _, e := range events {
		s := shorten(text(e), limit)
		x := p.x(p.time(e)) + 4
		width := float64(len([]rune(s))) * glyphWidth
		if x+width > plotRight+8 {
			x = p.x(p.time(e)) - 4 - width
		}
		for row := range ends {
			if s == "" || x < ends[row] || x < plotLeft {
				continue
			}
			p.Texts = append(p.Texts, plotText{X: x, Y: y + rowHeight*float64(row), Class: "small", Text: s})
			ends[row] = x + width + 8
			used = max(used, row+1)
			break
		}
	}
	return used
}

// packetName is the first word of what the log says of a packet: its type.
func packetName(e evidence.Event) string {
	name, _, _ := strings.Cut(e.Text, " ")
	if name == "" && e.Kind == evidence.Out {
		return "raw"
	}
	return name
}

// say is an event in one line.
func (p *plotter) say(e evidence.Event) string {
	return strings.TrimSpace(fmt.Sprintf("%s %s %s", secs(p.time(e)), e.Kind, shorten(e.Text, 120)))
}
