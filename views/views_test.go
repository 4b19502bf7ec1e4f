package views

import ("testing";"bytes")

func TestX(t *testing.T) {
	var b bytes.Buffer
	e := Engine()
	if err := e.Load(); err != nil { t.Fatal(err) }
	for name, m := range map[string]any{"home": Home{Rooms: []RoomLink{{Name:"a"}}}, "room": Room{Room:"lobby", Messages: []Message{{ID:"1-0", HTML:"<p>x</p>"}}}, "error": Error{}} {
	if err := e.Render(&b, name, m, Layout); err != nil { t.Fatal(err) }
	}
	t.Log(b.String())
}
