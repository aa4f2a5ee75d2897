"""Wall time, and the processor time of the plug-in, of GIMP and of the core, by step."""

import json
import os
import time
from pathlib import Path

WORK = Path(os.environ["GAZESHIFT_WORK"])
FILE = WORK / "steps.json"


class Clock:
    """Begins when it is made; what one process has written another one continues."""

    def __init__(self, plugin_pid, gimp_pid):
        core = json.loads((WORK / "state" / "bridge.json").read_text())["pid"]
        self.processes = {"plug-in": plugin_pid, "GIMP": gimp_pid, "core": core}
        self.steps = []
        self.last = self.now()

    @classmethod
    def read(cls):
        clock = cls.__new__(cls)
        clock.processes, clock.steps, clock.last = json.loads(FILE.read_text())
        return clock

    def write(self):
        FILE.write_text(json.dumps([self.processes, self.steps, self.last]))

    def now(self):
        ticks = os.sysconf("SC_CLK_TCK")
        read = {"wall": time.monotonic()}
        for name, pid in self.processes.items():
            fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
            read[name] = (int(fields[11]) + int(fields[12])) / ticks
        return read

    def mark(self, step):
        now = self.now()
        took = {name: round(now[name] - self.last[name], 3) for name in now}
        self.steps.append({"step": step, **took})
        self.last = self.now()
