package main

import (
	_ "embed"
	"math"
	"text/template"
)

// chart is the template of the chart, on white, so that it is legible on a dark page too.
//
//go:embed chart.svg.tmpl
var chart string

// curves are the lines of the chart; those of references are dashed.
var curves = []struct {
	Subject, Color string
	Dashed         bool
}{
	{postgres.title + ", " + sendings()[0].String(), "#1f65b5", false}, {sqlite.title + ", " + sendings()[0].String(), "#238b2d", false},
	{insert, "#d96e14", true}, {transaction, "#6e6e6e", true},
}

// chartFunctions place the figures of the section send in the chart.
func (r *result) chartFunctions() template.FuncMap {
	top := 5000.0 // of the scale
	for _, c := range curves {
		top = max(top, 5000*math.Ceil(1.2*r.best(c.Subject)/5000)) // with room for the legend
	}
	return template.FuncMap{
		"number":      number,
		"rates":       func() []float64 { return []float64{0, top / 5, top * 2 / 5, top * 3 / 5, top * 4 / 5, top} },
		"connections": func() []int { return []int{1, 4, 16, 64, 150, mostConnections} },
		"x": func(connections int) float64 {
			return math.Round(80 + 540*math.Log(float64(connections))/math.Log(mostConnections))
		},
		"y":       func(rate float64) float64 { return math.Round(330 - 290*rate/top) },
		"legend":  func(i int) int { return 56 + 20*i },
		"figures": func() []figure { return r.Figures },
	}
}
