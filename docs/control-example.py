#!/usr/bin/env python3
"""Control program: runs a device program given as arguments, for example: control-example.py ./lamp --config lamp.conf"""
import json, os, subprocess, sys, threading

device = None  # the running device program


def say(message):
    sys.stdout.write(json.dumps(message) + "\n")  # one write, so that lines of two threads do not mix
    sys.stdout.flush()


def watch(program):
    for line in program.stdout:
        say({"event": "console", "line": line.rstrip("\n")})
    status = program.wait()
    if program is device:  # nobody asked it to end
        say({"event": "exit", "status": f"exit status {status}"})


def end(how):
    global device
    program, device = device, None
    if program and program.poll() is None:
        how(program)
        program.wait()


def do(verb, args):
    global device
    if verb == "start":
        if device is None or device.poll() is not None:
            settings = {k.replace(".", "_").upper(): v for k, v in args.items()}  # BROKER_HOST, BROKER_PORT, CA_FILE, ...
            device = subprocess.Popen(sys.argv[1:], env={**os.environ, **settings}, text=True, errors="replace",
                                      stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
            threading.Thread(target=watch, args=[device], daemon=True).start()
    elif verb == "stop":
        end(subprocess.Popen.terminate)
    elif verb == "power":
        end(subprocess.Popen.kill)  # a relay would do here; "start" follows "on"
    elif verb == "query" and args["name"] == "version":
        return "1.0.3"
    else:
        raise ValueError(f"cannot {verb} {args}")


say({"hello": {"can": ["power.cut", "restart", "query.version"]}})
for line in sys.stdin:
    request = json.loads(line)
    try:
        say({"id": request["id"], "ok": True, "value": do(request["do"], request.get("args"))})
    except Exception as error:
        say({"id": request["id"], "ok": False, "error": str(error)})
end(subprocess.Popen.kill)  # end of input: leave nothing behind
