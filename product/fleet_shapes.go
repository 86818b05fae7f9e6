package product

// Shapes are the courses that a load run can take, by name; the first is the usual one.
var Shapes = []struct{ Name, What string }{
	{"steady", "the fleet joins at its connect rate and stays"},
	{"ramp", "devices join evenly over four fifths of the run"},
	{"reconnect-storm", "half-way all connections are cut, and all devices come back by their back-off"},
	{"morning-spike", "from a third on, for a minute or a third of the run, ten times as many messages are due"},
	{"provisioning-storm", "all devices begin within the first second"},
	{"firmware-day", "half-way all devices that have update: calls make them within 10 s"},
	{"flap", "every connection is cut after 5 to 15 s, again and again"},
}

func shapeNames() (names []string) {
	for _, s := range Shapes {
		names = append(names, s.Name)
	}
	return names
}
