package main

import (
	"bytes"
	"image/color"
	"os"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"
)

// curves are the lines of the chart; those of references are dashed.
var curves = []struct {
	subject string
	color   color.Color
	dashes  []vg.Length
}{
	{postgres.title, color.RGBA{R: 31, G: 101, B: 181, A: 255}, nil},
	{sqlite.title, color.RGBA{R: 35, G: 139, B: 69, A: 255}, nil},
	{insert, color.RGBA{R: 217, G: 110, B: 20, A: 255}, []vg.Length{6, 3}},
	{transaction, color.RGBA{R: 110, G: 110, B: 110, A: 255}, []vg.Length{6, 3}},
}

// draw draws sends a second by number of connections as SVG, on white, so that it is legible on a dark
// page too. It draws nothing if they were not measured.
func (r *report) draw(path string) error {
	i := slices.IndexFunc(r.Sections, func(one result) bool { return one.Name == "send" })
	if i < 0 {
		return nil
	}
	plot.DefaultFont.Variant = "Sans"
	p := plot.New()
	p.Title.Text, p.X.Label.Text, p.Y.Label.Text = "Durable sends", "connections", "sends per second"
	p.X.Scale, p.X.Tick.Marker = plot.LogScale{}, plot.ConstantTicks{
		{Value: 1, Label: "1"}, {Value: 4, Label: "4"}, {Value: 16, Label: "16"}, {Value: 64, Label: "64"}, {Value: 150, Label: "150"}, {Value: 256, Label: "256"},
	}
	p.Y.Min = 0
	p.Legend.Top, p.Legend.Left, p.Legend.XOffs, p.Legend.YOffs = true, true, 8, -4
	p.Legend.Padding, p.Title.Padding = 3, 8
	grid := plotter.NewGrid()
	grid.Horizontal.Color, grid.Vertical.Color = color.Gray{Y: 225}, color.Gray{Y: 225}
	p.Add(grid)
	for _, curve := range curves {
		var points plotter.XYs
		for _, f := range r.Sections[i].Figures {
			if f.Subject == curve.subject && f.PerSecond > 0 {
				points = append(points, plotter.XY{X: float64(f.Connections), Y: f.PerSecond})
			}
		}
		if len(points) == 0 {
			continue
		}
		line, dots, err := plotter.NewLinePoints(points)
		if err != nil {
			return err
		}
		line.Color, line.Width, line.Dashes = curve.color, 2, curve.dashes
		dots.Color, dots.Shape, dots.Radius = curve.color, draw.CircleGlyph{}, 3
		p.Add(line, dots)
		p.Legend.Add(curve.subject, line, dots)
	}
	p.Y.Max *= 1.35 // room for the legend
	canvas := vgsvg.New(7*vg.Inch, 4*vg.Inch)
	whole := draw.New(canvas)
	whole.SetColor(p.BackgroundColor)
	whole.Fill(whole.Path())
	p.Draw(draw.Crop(whole, 8, -28, 8, -8))
	var text bytes.Buffer
	if _, err := canvas.WriteTo(&text); err != nil {
		return err
	}
	// Few machines have the library's font; these have the same metrics.
	svg := bytes.ReplaceAll(text.Bytes(), []byte("Liberation Sans"), []byte("Liberation Sans, Arial, Helvetica, sans-serif"))
	return os.WriteFile(path, svg, 0o644)
}
