package main

func (r *report) draw(folder string) error { return nil }
