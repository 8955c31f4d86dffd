package main

import (
	"bytes"
	"image/color"
	"math"
	"os"
	"path/filepath"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"
)

// curve is one line of a chart.
type curve struct {
	subject string
	points  plotter.XYs
	color   color.Color
	dashed  bool // for a reference
}

var (
	blue   = color.RGBA{R: 31, G: 101, B: 181, A: 255}
	green  = color.RGBA{R: 35, G: 139, B: 69, A: 255}
	orange = color.RGBA{R: 217, G: 110, B: 20, A: 255}
	gray   = color.RGBA{R: 110, G: 110, B: 110, A: 255}
)

// chart is a diagram with a logarithmic axis to the right.
type chart struct {
	title, x, y string
	ticks       []plot.Tick // of the axis to the right
	logarithmic bool        // the axis upwards, too
	curves      []curve
}

// draw writes the charts for which there are figures.
func (r *report) draw(folder string) error {
	for name, c := range map[string]chart{
		"send-throughput.svg": r.sendChart("Durable sends", "sends per second", false, func(f figure) float64 { return f.PerSecond }),
		"growth.svg":          r.growthChart(),
		"send-latency.svg":    r.sendChart("Latency of a send, 99th percentile", "milliseconds", true, func(f figure) float64 { return f.P99 }),
	} {
		if len(c.curves) == 0 {
			continue
		}
		if err := c.save(filepath.Join(folder, name)); err != nil {
			return err
		}
	}
	return nil
}

// sendChart draws a value of sends over the numbers of connections.
func (r *report) sendChart(title, y string, logarithmic bool, value func(figure) float64) chart {
	c := chart{title: title, x: "connections", y: y, logarithmic: logarithmic, ticks: []plot.Tick{
		{Value: 1, Label: "1"}, {Value: 4, Label: "4"}, {Value: 16, Label: "16"}, {Value: 64, Label: "64"},
		{Value: 150, Label: "150"}, {Value: 256, Label: "256"},
	}}
	for _, one := range []curve{
		{subject: onPostgres, color: blue},
		{subject: onSQLite, color: green},
		{subject: insert, color: orange, dashed: true},
		{subject: transaction, color: gray, dashed: true},
	} {
		for _, f := range r.Figures {
			if f.Section == "send" && f.Subject == one.subject && value(f) > 0 {
				one.points = append(one.points, plotter.XY{X: float64(f.Connections), Y: value(f)})
			}
		}
		if len(one.points) > 0 {
			c.curves = append(c.curves, one)
		}
	}
	return c
}

// save draws the chart and writes it as SVG, on white, so that it can be read on a dark
// page too.
func (c chart) save(path string) error {
	p := plot.New()
	p.Title.Text, p.X.Label.Text, p.Y.Label.Text = c.title, c.x, c.y
	p.X.Scale, p.X.Tick.Marker = plot.LogScale{}, plot.ConstantTicks(c.ticks)
	if c.logarithmic {
		p.Y.Scale, p.Y.Tick.Marker = plot.LogScale{}, plot.LogTicks{Prec: -1}
	} else {
		p.Y.Min = 0
		p.Y.Tick.Marker = plot.TickerFunc(thousands)
	}
	c.style(p)
	for _, one := range c.curves {
		line, points, err := plotter.NewLinePoints(one.points)
		if err != nil {
			return err
		}
		line.Color, line.Width = one.color, vg.Points(2)
		points.Color, points.Shape, points.Radius = one.color, draw.CircleGlyph{}, vg.Points(3)
		if one.dashed {
			line.Dashes = []vg.Length{vg.Points(6), vg.Points(3)}
		}
		p.Add(line, points)
		p.Legend.Add(one.subject, line, points)
	}
	if c.logarithmic { // room for the legend
		p.Y.Max *= 4
	} else {
		p.Y.Max *= 1.35
	}
	canvas := vgsvg.New(7*vg.Inch, 4*vg.Inch)
	whole := draw.New(canvas)
	whole.SetColor(p.BackgroundColor)
	whole.Fill(whole.Path())
	p.Draw(draw.Crop(whole, vg.Points(8), vg.Points(-28), vg.Points(8), vg.Points(-8)))
	var text bytes.Buffer
	if _, err := canvas.WriteTo(&text); err != nil {
		return err
	}
	// Few have the font that the library measures with; these are as wide.
	svg := bytes.ReplaceAll(text.Bytes(), []byte("Liberation Sans"), []byte("Liberation Sans, Arial, Helvetica, sans-serif"))
	return os.WriteFile(path, svg, 0o644)
}

// thousands are about five ticks with labels, at round numbers.
func thousands(low, high float64) (ticks []plot.Tick) {
	step := math.Pow(10, math.Floor(math.Log10(high/5)))
	for _, factor := range []float64{1, 2, 5, 10} {
		if high/(step*factor) <= 6 {
			step *= factor
			break
		}
	}
	for value := low; value <= high; value += step {
		ticks = append(ticks, plot.Tick{Value: value, Label: number(value)})
	}
	return ticks
}

// style gives a chart a grid, some room and a font without serifs.
func (c chart) style(p *plot.Plot) {
	grid := plotter.NewGrid()
	grid.Horizontal.Color, grid.Vertical.Color = color.Gray{Y: 225}, color.Gray{Y: 225}
	p.Add(grid)
	p.Legend.Top, p.Legend.Left = true, true
	p.Legend.XOffs, p.Legend.YOffs, p.Legend.Padding = vg.Points(8), vg.Points(-4), vg.Points(3)
	p.Title.Padding, p.X.Padding, p.Y.Padding = vg.Points(8), vg.Points(4), vg.Points(4)
	for _, text := range []*font.Font{
		&p.Title.TextStyle.Font, &p.X.Label.TextStyle.Font, &p.Y.Label.TextStyle.Font,
		&p.X.Tick.Label.Font, &p.Y.Tick.Label.Font, &p.Legend.TextStyle.Font,
	} {
		text.Variant = "Sans"
	}
}
