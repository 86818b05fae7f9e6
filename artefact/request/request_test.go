package request

import (
	"testing"
)

func TestFlows(t *testing.T) {
	for name, c := range map[string]struct {
		file, text string
		want       int // the line; 0: none
	}{
		"PHP, at once":              {"www/a.php", "<?php\nsystem('ping ' . $_GET['host']);\n", 2},
		"PHP, by a variable":        {"www/a.php", "<?php\n$h = $_POST['h'];\necho 'x';\n$o = shell_exec(\"ping $h\");\n", 4},
		"PHP, backticks":            {"www/a.php", "<?php\n$o = `ping {$_GET['h']}`;\n", 2},
		"PHP, escaped":              {"www/a.php", "<?php\nsystem('ping ' . escapeshellarg($_GET['host']));\n", 0},
		"PHP, escaped before":       {"www/a.php", "<?php\n$h = escapeshellarg($_GET['h']);\nsystem(\"ping $h\");\n", 0},
		"PHP, checked between":      {"www/a.php", "<?php\n$h = $_GET['h'];\nif (!preg_match('/^[0-9.]+$/', $h)) exit;\nsystem(\"ping $h\");\n", 0},
		"PHP, set anew":             {"www/a.php", "<?php\n$h = $_GET['h'];\n$h = 'x';\nsystem(\"ping $h\");\n", 0},
		"PHP, other variable":       {"www/a.php", "<?php\n$h = $_GET['h'];\nsystem(\"ping $host\");\n", 0},
		"PHP, commented out":        {"www/a.php", "<?php\n// system($_GET['h']);\n/* system($_GET['h']);\nsystem($_GET['h']); */\n# system($_GET['h']);\n", 0},
		"PHP, a method":             {"www/a.php", "<?php\n$db->exec($_GET['h']);\ncurl_exec($_GET['h']);\n", 0},
		"PHP, a database":           {"www/a.php", "<?php\n$pdo = new PDO(); $pdo->exec(\"x\"); $h = $_GET['h'];\n", 0},
		"Lua, at once":              {"usr/lib/lua/luci/a.lua", "luci.sys.call(\"ping \" .. luci.http.formvalue(\"h\"))\n", 1},
		"Lua, by a variable":        {"usr/lib/lua/luci/a.lua", "local h = luci.http.formvalue(\"h\")\nos.execute(\"ping \" .. h .. \" &\")\n", 2},
		"Lua, quoted":               {"usr/lib/lua/luci/a.lua", "local h = luci.http.formvalue(\"h\")\nos.execute(\"ping \" .. util.shellquote(h))\n", 0},
		"Lua, a number":             {"usr/lib/lua/luci/a.lua", "local h = tonumber(luci.http.formvalue(\"h\"))\nos.execute(\"ping \" .. h)\n", 0},
		"Lua, only compared":        {"usr/lib/lua/luci/a.lua", "local h = luci.http.formvalue(\"h\")\nif h == \"1\" then os.execute(\"reboot\") end\n", 0},
		"shell, eval":               {"www/cgi-bin/a", "#!/bin/sh\neval $(echo \"$QUERY_STRING\" | tr '&' ';')\n", 2},
		"shell, by a variable":      {"www/cgi-bin/a", "#!/bin/sh\nH=${QUERY_STRING#h=}\nsh -c \"ping $H\"\n", 3},
		"shell, filtered":           {"www/cgi-bin/a", "#!/bin/sh\nH=$(echo $QUERY_STRING | tr -cd 0-9)\neval \"ping $H\"\n", 0},
		"shell, an argument":        {"www/cgi-bin/a", "#!/bin/sh\nping \"${QUERY_STRING#h=}\"\n", 0},
		"shell, not of the web":     {"etc/init.d/a", "#!/bin/sh\neval $QUERY_STRING\n", 0},
		"documentation of this all": {"usr/share/doc/a.txt", "system($_GET['h'])\n", 0},
	} {
		got := Flows(c.file, []byte(c.text))
		if c.want == 0 && len(got) > 0 || c.want > 0 && (len(got) != 1 || got[0].Line != c.want) {
			t.Errorf("%s: %+v, want line %d", name, got, c.want)
		}
	}
}

func FuzzFlows(f *testing.F) {
	f.Add("a.php", []byte("<?php\n$h = $_GET['h'];\nsystem(\"ping $h\");\n/* x"))
	f.Add("cgi/a", []byte("#!/bin/sh\nH=$QUERY_STRING\neval \"$H\"\n"))
	f.Add("a.lua", []byte("local h = luci.http.formvalue(\"h\")\nos.execute(\"ping \" .. h .. \" &\")\n"))
	f.Fuzz(func(t *testing.T, name string, b []byte) {
		if got := Flows(name, b); len(got) > maxFlows {
			t.Fatal(len(got))
		}
	})
}
