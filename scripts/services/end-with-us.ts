import { spawn, type ChildProcess } from "node:child_process";
import type { Writable } from "node:stream";

/**
 * Has a process end no later than this one, however this one ends: killed, it can end nothing
 * itself. What a process of ours needs beyond that, such as an orderly end, is asked of it before.
 */
export function endWithUs(child: ChildProcess): void {
  const { pid } = child;
  if (pid === undefined) return;
  tell(`started ${pid}`);
  child.once("exit", () => {
    tell(`ended ${pid}`);
  });
}

/**
 * Has a folder removed once this process is gone, and before that whatever runs for it: the
 * database servers in it, and on Linux what is mounted in it and processes with
 * `${variable}=<folder>` in their environment.
 */
export function removeWithUs(folder: string, variable: string): void {
  tell(`mark ${variable}=${folder}`);
  tell(`folder ${folder}`);
}

// Reads what to end until the pipe closes, which it does when we are gone. The programs are those
// of any Unix; what only Linux has is passed over elsewhere.
const survivor = `
alive=' ' marks=
while read -r word value; do
  case $word in
    started) alive="$alive$value " ;;
    ended)
      left=' '
      for pid in $alive; do [ "$pid" = "$value" ] || left="$left$pid "; done
      alive=$left ;;
    mark) marks="$marks $value" ;;
    folder) set -- "$@" "$value" ;;
  esac
done
for pid in $alive; do kill -9 "$pid"; done
for mark in $marks; do
  for at in $(grep -lzxF "$mark" /proc/[0-9]*/environ); do
    pid=\${at#/proc/}
    kill -9 "\${pid%/environ}"
  done
done
for folder in "$@"; do
  find "$folder" -name postmaster.pid | while read -r file; do
    read -r pid < "$file"
    # Its id may be another server's by now: that one works in another folder.
    home=$(cd "$(dirname "$file")" && pwd -P)
    [ "$(readlink "/proc/$pid/cwd" || echo "$home")" = "$home" ] || continue
    case $(ps -o comm= -p "$pid") in *postgres*) kill -QUIT "$pid" ;; esac
  done
  while read -r device at rest; do
    case $at in "$folder"/*) umount -l "$at" ;; esac
  done < /proc/mounts
  rm -rf "$folder" || { sleep 1; rm -rf "$folder"; }
done
`;

let telling: Writable | undefined;

function tell(line: string): void {
  telling ??= startSurvivor();
  telling.write(`${line}\n`);
}

function startSurvivor(): Writable {
  // In a group of its own: Ctrl-C is for us. In a folder that nobody has to unmount or remove.
  const child = spawn("sh", ["-c", survivor, "sh"], {
    detached: true,
    cwd: "/",
    // Nothing by which it would find itself.
    env: { PATH: process.env["PATH"] ?? "" },
    stdio: ["pipe", "ignore", "ignore"],
  });
  // Where there is no shell, what was started has to be ended by whoever started it.
  child.on("error", () => undefined);
  child.stdin.on("error", () => undefined);
  child.unref();
  // It keeps nobody waiting: its end of the pipe closes by itself.
  if ("unref" in child.stdin && typeof child.stdin.unref === "function") child.stdin.unref();
  return child.stdin;
}
