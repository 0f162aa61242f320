"""Runs a command at a pseudo-terminal: steps of (text to wait for, keys to send); prints all that came, then the exit code."""
import json, os, pty, re, select, signal, sys, time, fcntl, termios, struct
steps = json.loads(sys.argv[1]); command = sys.argv[2:]
pid, fd = pty.fork()
if pid == 0:
    os.environ['TERM'] = 'xterm'
    os.execvp(command[0], command)
fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack('HHHH', 50, 200, 0, 0))
seen = b''
def read(seconds):
    global seen
    ready, _, _ = select.select([fd], [], [], seconds)
    if not ready: return True
    try: data = os.read(fd, 65536)
    except OSError: return False
    seen += data
    return data != b''
start = 0; alive = True
for pattern, keys in steps:
    deadline = time.time() + 100
    while alive and time.time() < deadline and not re.search(pattern.encode(), seen[start:]): alive = read(1)
    m = re.search(pattern.encode(), seen[start:])
    start += m.end() if m else 0
    os.write(fd, keys.encode())
deadline = time.time() + 100
while alive and time.time() < deadline: alive = read(1)
if alive: os.kill(pid, signal.SIGKILL)
_, status = os.waitpid(pid, 0)
code = os.WEXITSTATUS(status) if os.WIFEXITED(status) else -os.WTERMSIG(status)
print(json.dumps({'code': code, 'screen': seen.decode('utf-8', 'replace')}))
