/**
 * What the build of the addon needs of the system: a C compiler, make, bash, and the headers of OpenSSL, zlib and zstd.
 *
 * @module
 */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import process from "node:process";

/** The command that installs what is missing, by package manager. */
export const INSTALL_COMMANDS: Readonly<Record<"apt" | "dnf" | "apk" | "brew", string>> = {
  apt: "apt-get install -y gcc make bash pkg-config libc6-dev libssl-dev zlib1g-dev libzstd-dev",
  dnf: "dnf install -y gcc make bash pkgconf-pkg-config openssl-devel zlib-devel libzstd-devel",
  apk:
    "apk add build-base bash pkgconf openssl-dev openssl-libs-static zlib-dev zstd-dev linux-headers",
  brew: "xcode-select --install; brew install pkg-config openssl@3 zlib zstd",
};

const PROBE =
  "#include <openssl/ssl.h>\n#include <zlib.h>\n#include <zstd.h>\n#include <stdio.h>\n";

/** Names what is missing; an empty list when the build can start. */
export function missingPackages(): string[] {
  const missing = ["cc", "make", "bash"].filter((name) => !runs(name, ["--version"]));
  if (missing.includes("cc")) return missing;
  for (const line of PROBE.trim().split("\n")) {
    if (!compiles(line)) missing.push(line.slice(line.indexOf("<") + 1, line.indexOf(">")));
  }
  return missing;
}

/**
 * Sees to it that the build can start: installs by apt-get when it may (root on Debian or Ubuntu).
 * @throws {Error} naming what is missing and the command for each package manager.
 */
export function ensurePackages(report: (line: string) => void): void {
  let missing = missingPackages();
  if (missing.length === 0) return;
  if (process.getuid?.() === 0 && existsSync("/usr/bin/apt-get")) {
    report(`installing by apt-get what is missing: ${missing.join(", ")}`);
    const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
    spawnSync("apt-get", ["update", "-qq"], { env, stdio: ["ignore", "ignore", "inherit"] });
    const [command, ...rest] = INSTALL_COMMANDS.apt.split(" ");
    spawnSync(command, rest, { env, stdio: ["ignore", "ignore", "inherit"] });
    missing = missingPackages();
    if (missing.length === 0) return;
  }
  throw new Error(
    `Cannot build the Kafka addon as the system lacks what it needs: current value is ${
      missing.join(", ")
    }. Install it:\n` +
      Object.entries(INSTALL_COMMANDS).map(([name, line]) => `  ${name}:  ${line}`).join("\n"),
  );
}

/** Include and library flags of headers that lie elsewhere than the compiler looks (Homebrew). */
export function extraFlags(): string[] {
  if (process.platform !== "darwin") return [];
  return ["openssl@3", "zlib", "zstd"].flatMap((name) => {
    const { stdout } = spawnSync("brew", ["--prefix", name], { encoding: "utf8" });
    const prefix = stdout?.trim();
    return prefix ? [`-I${prefix}/include`, `-L${prefix}/lib`] : [];
  });
}

/** Whether the linker finds the static form of a library. */
export function hasStatic(library: string): boolean {
  const { stdout } = spawnSync("cc", [`-print-file-name=${library}`], { encoding: "utf8" });
  return stdout !== null && stdout.trim() !== library && existsSync(stdout.trim());
}

function runs(command: string, args: string[]): boolean {
  return spawnSync(command, args, { stdio: "ignore" }).status === 0;
}

function compiles(source: string): boolean {
  const args = [...extraFlags().filter((flag) => flag.startsWith("-I")), "-E", "-x", "c", "-"];
  return spawnSync("cc", args, { input: source + "\n", stdio: ["pipe", "ignore", "ignore"] })
    .status === 0;
}
