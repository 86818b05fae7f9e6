package product

import (
	"reflect"
	"testing"
)

// A class that is cloned shares no list and no part with the first: each field that is one differs in where it lies.
func TestClassClone(t *testing.T) {
	f := DefaultFleet()
	c := f.Classes[0]
	c.Will, c.TLS, c.Sleep, c.Backoff = &Post{}, &ClassTLS{}, &Sleep{}, &Backoff{}
	c.Telemetry, c.Subscribe, c.Commands = make([]Telemetry, 1), make([]Filter, 1), make([]Answered, 1)
	c.Provision, c.Update = make([]Call, 1), make([]Call, 1)
	own := c.Clone()
	if !reflect.DeepEqual(c, own) {
		t.Errorf("%+v, want %+v", own, c)
	}
	a, b := reflect.ValueOf(c), reflect.ValueOf(own)
	for i := range a.NumField() {
		switch k := a.Field(i).Kind(); k {
		case reflect.Slice, reflect.Pointer, reflect.Map:
			if a.Field(i).IsNil() || a.Field(i).Pointer() == b.Field(i).Pointer() {
				t.Errorf("%s is common, or not in this test", a.Type().Field(i).Name)
			}
		}
	}
}
