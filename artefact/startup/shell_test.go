package startup

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// told are commands as text: argv, user, condition.
func told(list []Command) (all []string) {
	for _, c := range list {
		text := strings.Join(c.Argv, " ")
		if c.User != "" {
			text += " as " + c.User
		}
		if c.When != "" {
			text += " when " + c.When
		}
		all = append(all, text)
	}
	return all
}

func TestShell(t *testing.T) {
	for name, c := range map[string]struct {
		script string
		rc     bool
		want   []string
	}{
		"plain":                {script: "telnetd -l /bin/sh &\n", want: []string{"telnetd -l /bin/sh"}},
		"commented out":        {script: "# telnetd &\n  #telnetd\necho x # telnetd\n", want: []string{"echo x"}},
		"only told of":         {script: "echo 'starting telnetd; not'\nprintf \"telnetd\\n\"\n", want: []string{"echo starting telnetd; not", "printf telnetd\\n"}},
		"here-document":        {script: "cat > /tmp/x <<EOF\ntelnetd\nEOF\nsyslogd\n", want: []string{"cat", "syslogd"}},
		"here-document, tabs":  {script: "cat <<-'E' >f\n\ttelnetd\n\tE\nsyslogd\n", want: []string{"cat", "syslogd"}},
		"wrappers":             {script: "nohup nice -n 5 /usr/sbin/telnetd -p 23 >/dev/null 2>&1 &\nexec env A=b busybox telnetd\n", want: []string{"/usr/sbin/telnetd -p 23", "telnetd"}},
		"redirections":         {script: "a > /dev/null 2> /x < /y b\n", want: []string{"a b"}},
		"variables":            {script: "D=/usr/sbin/telnetd\nO=\"-l /bin/sh\"\n[ -x $D ] || exit 0\n$D $O\n", want: []string{"[ -x /usr/sbin/telnetd ]", "/usr/sbin/telnetd -l /bin/sh"}},
		"continued":            {script: "telnetd \\\n -p 24\n", want: []string{"telnetd -p 24"}},
		"on a setting":         {script: "if [ \"$(nvram get telnet)\" = 1 ]; then\n telnetd\nfi\nhttpd\n", want: []string{"telnetd when [ \"$(nvram get telnet)\" = 1 ]", "httpd"}},
		"else":                 {script: "if grep -q debug /proc/cmdline; then a; else b; fi\n", want: []string{"a when grep -q debug /proc/cmdline", "b when not: grep -q debug /proc/cmdline"}},
		"known off":            {script: "TELNET=no\nif [ \"$TELNET\" = yes ]; then telnetd; else httpd; fi\n", want: []string{"httpd"}},
		"known on":             {script: "TELNET=yes\nif [ \"$TELNET\" = yes ]; then telnetd; fi\n", want: []string{"telnetd"}},
		"set elsewhere":        {script: "TELNET=no\n. /etc/default/telnet\n[ $TELNET = yes ] && telnetd\n", want: []string{". /etc/default/telnet", "[ no = yes ]", "telnetd when [ $TELNET = yes ]"}},
		"gate":                 {script: "[ \"$ENABLED\" = yes ] || exit 0\ntelnetd\n", want: []string{"[ $ENABLED = yes ]", "telnetd when [ \"$ENABLED\" = yes ]"}},
		"files":                {script: "[ -x /usr/sbin/x -a -e /etc/x.conf ] || exit 0\nx\n", want: []string{"[ -x /usr/sbin/x -a -e /etc/x.conf ]", "x when [ -e /etc/x.conf ]"}},
		"false":                {script: "if false; then telnetd; fi\n", want: nil},
		"behind the end":       {script: "exit 0\ntelnetd\n", want: nil},
		"stop":                 {script: "case \"$1\" in\nstart)\n start-stop-daemon -S -b -x /usr/sbin/telnetd -- -F\n ;;\nstop)\n start-stop-daemon -K -x /usr/sbin/telnetd\n killall telnetd\n ;;\nesac\n", want: []string{"/usr/sbin/telnetd -F"}},
		"functions":            {script: "start() {\n telnetd\n}\nstop() {\n killall telnetd\n}\nunused() { ftpd; }\ncase \"$1\" in\n start|stop)\n  \"$1\";;\nesac\n", want: []string{"telnetd"}},
		"function is called":   {script: "function go { telnetd; }\ngo\n", want: []string{"telnetd"}},
		"user":                 {script: "start-stop-daemon --start --chuid www:www --exec /usr/sbin/httpd -- -p 80\nsu -c 'telnetd -p 9' nobody\nsudo -u a b\n", want: []string{"/usr/sbin/httpd -p 80 as www", "telnetd -p 9 as nobody", "b as a"}},
		"sh -c":                {script: "sh -c \"while true; do nc -l -p 4444 -e /bin/sh; done\"\n", want: []string{"nc -l -p 4444 -e /bin/sh"}},
		"procd":                {rc: true, script: "#!/bin/sh /etc/rc.common\nUSE_PROCD=1\nstart_service() {\n procd_open_instance\n procd_set_param command /usr/sbin/uhttpd -f\n procd_append_param command -p 80\n procd_set_param user www\n procd_close_instance\n}\nstop_service() { telnetd; }\n", want: []string{"procd_open_instance", "/usr/sbin/uhttpd -f -p 80 as www", "procd_close_instance"}},
		"rc.common without it": {script: "start_service() { telnetd; }\n", want: nil},
		"for and while":        {script: "for i in 1 2; do\n telnetd\ndone\nwhile ! ping -c 1 x; do sleep 1; done\nhttpd", want: []string{"telnetd", "sleep 1", "httpd"}},
		"case of a setting":    {script: "case $(fw_printenv -n m) in factory) telnetd ;; *) httpd ;; esac", want: []string{"telnetd when case $(fw_printenv -n m) in factory", "httpd when case $(fw_printenv -n m) in *"}},
		"or":                   {script: "modprobe x || telnetd\n", want: []string{"modprobe x", "telnetd when what stands before it fails"}},
		"unclosed":             {script: "if [ a\nthen telnetd \"", want: []string{"telnetd  when [ a"}},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, told(shell(c.script, c.rc))); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestLines(t *testing.T) {
	got := shell("# a\ncat <<E\n\n\nE\nx=\"\n\n\"\ntelnetd\n", false)
	if len(got) != 2 || got[1].Line != 9 {
		t.Errorf("%+v, want telnetd in line 9", got)
	}
}

func FuzzShell(f *testing.F) {
	f.Add("if [ \"$(nvram get telnet)\" = 1 ]; then\n telnetd\nfi\nhttpd")
	f.Add("case \"$1\" in\nstart) a <<E\nE\n;;\n*) b;; esac\nf() { su -c 'x; y' z; }; f 2>&1 & \\")
	f.Add("start-stop-daemon -S -bx /usr/sbin/telnetd -- -F; A=${B:-c}; $A &> x")
	f.Fuzz(func(t *testing.T, text string) {
		list := shell(text, true)
		total := 0
		for _, c := range list {
			if len(c.Argv) == 0 || c.Line < 1 || len(c.Text) > maxText+8 || len(c.When) > maxText+8 {
				t.Fatalf("%+v", c)
			}
			for _, w := range c.Argv {
				total += len(w)
			}
		}
		if total > 64<<10+9000*len(text) {
			t.Fatalf("%d bytes of words of %d bytes", total, len(text))
		}
	})
}
