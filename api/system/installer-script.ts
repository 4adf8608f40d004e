/**
 * The one-line installer as POSIX sh: needs Node and nothing else, verifies what it downloads, can be run again.
 * All of it is one function that is called in the last line, so half a download runs nothing.
 */
import { NODE_MAJOR_MIN } from './bundle.ts';

type Installer = Readonly<{ apiUrl: string; sha256: string; version: string }>;

export const installerScript = ({ apiUrl, sha256, version }: Installer): string => `#!/bin/sh
# Installs dc-agent and joins a pool:
#   curl -sSf ${apiUrl}/setup | sh -s -- --token apt_…
# Options: --token TOKEN, --api-url URL; any other is handed to \`dc-agent setup\`.
set -eu

say() { if [ -t 1 ]; then printf '✓ %s\\n' "$1"; else printf '%s\\n' "$1"; fi; }
die() { printf 'dc-agent setup: %s\\n' "$1" >&2; exit 1; }

find_node() {
  for candidate in "\${DC_AGENT_NODE:-}" "$(command -v node 2>/dev/null || true)" /usr/local/bin/node /usr/bin/node; do
    [ -n "$candidate" ] && [ -x "$candidate" ] || continue
    major=$("$candidate" -p 'process.versions.node.split(".")[0]' 2>/dev/null || echo 0)
    if [ "$major" -ge ${NODE_MAJOR_MIN} ] 2>/dev/null; then printf '%s' "$candidate"; return 0; fi
    found="$candidate has version $major"
  done
  die "Node.js ${NODE_MAJOR_MIN} or newer is needed (\${found:-none was found}). Install it from your distribution or https://nodejs.org, then run this again; DC_AGENT_NODE=/path/to/node names one."
}

fetch() {
  if command -v curl >/dev/null 2>&1; then curl -sSf --retry 2 -o "$2" "$1"
  elif command -v wget >/dev/null 2>&1; then wget -q -O "$2" "$1"
  else "$node" -e 'fetch(process.argv[1]).then(async (r) => { if (!r.ok) throw new Error("HTTP " + r.status); require("fs").writeFileSync(process.argv[2], Buffer.from(await r.arrayBuffer())); }).catch((e) => { console.error(e.message); process.exit(1); })' "$1" "$2"
  fi
}

checksum() {
  "$node" -e 'console.log(require("crypto").createHash("sha256").update(require("fs").readFileSync(process.argv[1])).digest("hex"))' "$1"
}

main() {
  api_url=${quote(apiUrl)}
  expected=${quote(sha256)}
  version=${quote(version)}
  token=''
  count=$#
  while [ "$count" -gt 0 ]; do
    count=$((count - 1))
    case $1 in
      --token) [ "$count" -gt 0 ] || die '--token needs a value'; token=$2; shift 2; count=$((count - 1)) ;;
      --token=*) token=\${1#--token=}; shift ;;
      --api-url) [ "$count" -gt 0 ] || die '--api-url needs a value'; api_url=$2; shift 2; count=$((count - 1)) ;;
      --api-url=*) api_url=\${1#--api-url=}; shift ;;
      *) set -- "$@" "$1"; shift ;;
    esac
  done

  node=$(find_node) || exit 1
  if [ "$(id -u)" = 0 ]; then prefix=/usr/local; else prefix=\${HOME:?HOME is not set}/.local; fi
  lib=\${DC_AGENT_PREFIX:-$prefix}/lib/dc-agent
  bin=\${DC_AGENT_PREFIX:-$prefix}/bin
  mkdir -p "$lib" "$bin" || die "cannot write to $lib; run this as root, or set DC_AGENT_PREFIX to a folder of yours"

  if [ -f "$lib/dc-agent.mjs" ] && [ "$(checksum "$lib/dc-agent.mjs")" = "$expected" ]; then
    say "dc-agent $version is installed in $lib already"
  else
    temporary=$(mktemp "$lib/dc-agent.XXXXXX") || die "cannot write to $lib"
    trap 'rm -f "$temporary"' EXIT
    fetch "$api_url/setup/dc-agent.mjs" "$temporary" || die "cannot download $api_url/setup/dc-agent.mjs; is the address right and reachable from here?"
    actual=$(checksum "$temporary")
    [ "$actual" = "$expected" ] || die "the download has SHA-256 $actual, not $expected. Nothing was installed; run this again, and if it stays, somebody changes what you download."
    chmod 0755 "$temporary"
    mv -f "$temporary" "$lib/dc-agent.mjs"
    trap - EXIT
    say "dc-agent $version for $("$node" -p 'process.platform + "-" + process.arch') downloaded, checksum verified"
  fi
  printf '#!/bin/sh\\nexec "%s" "%s" "$@"\\n' "$node" "$lib/dc-agent.mjs" > "$bin/dc-agent.new"
  chmod 0755 "$bin/dc-agent.new"
  mv -f "$bin/dc-agent.new" "$bin/dc-agent"

  if [ -z "$token" ]; then
    say "installed as $bin/dc-agent"
    printf 'To join a pool: %s setup --token TOKEN --api-url %s\\n' "$bin/dc-agent" "$api_url"
    return 0
  fi
  exec "$bin/dc-agent" setup --token "$token" --api-url "$api_url" "$@"
}

main "$@"
`;

/** One word of sh, whatever is in it. */
const quote = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;
