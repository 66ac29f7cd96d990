#!/usr/bin/env bash
# Starts mock backends and BWS with test_load_balancing.toml, and checks every balancing method from outside, with curl.
# The ports are those of the specification: BWS on 8080 to 8082, backends on 3001 to 3003.
#
#   tests/test_load_balance.sh

set -u
# Each background job is a process group of its own, so that it can be ended with all its children.
set -m
cd "$(dirname "$0")/.." || exit 1

if command -v deno >/dev/null; then deno=(deno); else deno=(npx -y deno@2.9.6); fi
command -v curl >/dev/null || { echo "curl is missing"; exit 1; }

work=$(mktemp -d)
# Process ids, by port; a list and not a map, for the bash of macOS.
jobs=()
bws=8080
hold=1
passed=0
failed=0

finish() {
  if ((${#jobs[@]} > 0)); then
    for job in "${!jobs[@]}"; do end "$job"; done
  fi
  rm -rf "$work"
}
trap finish EXIT
trap 'exit 130' INT TERM

end() {
  kill -- -"${jobs[$1]}" 2>/dev/null
  wait "${jobs[$1]}" 2>/dev/null
  unset "jobs[$1]"
}

check() { # check NAME EXPECTED ACTUAL
  if [[ $2 == "$3" ]]; then
    passed=$((passed + 1))
    echo "ok      $1"
  else
    failed=$((failed + 1))
    printf 'FAILED  %s\n        expected: %s\n        actual:   %s\n' "$1" "$2" "$3"
  fi
}

within() { # within NAME LOW HIGH ACTUAL
  if (($4 >= $2 && $4 <= $3)); then check "$1 ($4, expected $2 to $3)" yes yes; else check "$1" "$2 to $3" "$4"; fi
}

listens() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

await_port() { # await_port PORT LOG
  for _ in {1..300}; do
    listens "$1" && return
    sleep 0.05
  done
  echo "Nothing listens on port $1:"
  cat "$2"
  exit 1
}

# How often each backend answered, as "3001:10 3002:10 …".
tally() { sort | uniq -c | awk '{ printf "%s%s:%s", (NR > 1 ? " " : ""), $2, $1 }'; }

for port in 8080 8081 8082 3001 3002 3003; do
  if listens "$port"; then
    echo "Port $port is in use. Stop the program that has it, and try again."
    exit 1
  fi
done

# A backend answers with its port, with the header lines that it got (/api/headers), or with its port at once and the
# end of the body never (/hold), which keeps the exchange in flight.
cat >"$work/backend.ts" <<'BACKEND'
const port = Number(Deno.args[0]);
Deno.serve({ hostname: "127.0.0.1", port, onListen() {} }, (request) => {
  const { pathname } = new URL(request.url);
  if (pathname === "/api/headers") {
    const lines = [...request.headers].map(([name, value]) => `${name}: ${value}\n`).join("");
    return new Response(lines, { headers: { "x-internal-header": "secret" } });
  }
  if (pathname === "/api/echo") return new Response(request.body, { status: 201 });
  const first = new TextEncoder().encode(`${port}\n`);
  if (pathname !== "/hold") return new Response(first);
  return new Response(new ReadableStream({ start: (controller) => controller.enqueue(first) }));
});
BACKEND

echo "Starting backends on ports 3001, 3002 and 3003, and BWS on 8080, 8081 and 8082"
for port in 3001 3002 3003; do
  "${deno[@]}" run --quiet --no-config --allow-net "$work/backend.ts" "$port" >"$work/$port.log" 2>&1 &
  jobs[$port]=$!
done
for port in 3001 3002 3003; do await_port "$port" "$work/$port.log"; done
"${deno[@]}" run --quiet -A main.ts --config tests/test_load_balancing.toml >"$work/bws.log" 2>&1 &
jobs[$bws]=$!
for port in 8080 8081 8082; do await_port "$port" "$work/bws.log"; done

echo
echo "Round robin"
check "30 requests: 10 for each backend" "3001:10 3002:10 3003:10" \
  "$(curl -s "http://localhost:8080/api/test?[1-30]" | tally)"
check "by host name: 10 for each backend" "3001:10 3002:10 3003:10" \
  "$(curl -s -H "Host: roundrobin.example.com" "http://localhost:8080/api/test?[1-30]" | tally)"

echo
echo "Weighted, 60 % and 40 %"
curl -s -H "Host: weighted.example.com" "http://localhost:8081/?[1-1000]" >"$work/weighted"
within "1000 requests: the share of 3001" 530 670 "$(grep -c '^3001$' "$work/weighted")"
within "1000 requests: the share of 3002" 330 470 "$(grep -c '^3002$' "$work/weighted")"
check "no others answered" 1000 "$(grep -c -e '^3001$' -e '^3002$' "$work/weighted")"

echo
echo "Least connections"
curl -sN -H "Host: leastconn.example.com" http://localhost:8082/hold >"$work/hold" &
jobs[$hold]=$!
for _ in {1..100}; do
  [[ -s $work/hold ]] && break
  sleep 0.05
done
held=$(cat "$work/hold")
curl -s -H "Host: leastconn.example.com" "http://localhost:8082/?[1-20]" >"$work/idle"
check "20 requests while $held is busy: all are answered" 20 "$(grep -c '^300[123]$' "$work/idle")"
check "none of them by $held" 0 "$(grep -c "^$held\$" "$work/idle")"
end $hold
seen=0
for _ in {1..60}; do
  seen=$(curl -s "http://localhost:8082/?[1-3]" | grep -c "^$held\$")
  ((seen > 0)) && break
  sleep 0.05
done
check "$held takes part again when it is idle" yes "$( ((seen > 0)) && echo yes || echo no)"

echo
echo "Header fields"
curl -s -D "$work/response" -H "Host: proxy.localhost" -H "X-Internal-Header: secret" \
  http://localhost:8080/api/headers >"$work/request"
field() { grep -i "^$2:" "$work/$1" | tr -d '\r' | sed 's/^[^:]*: *//'; }
check "X-Forwarded-For is sent" 1 "$(grep -ciE '^x-forwarded-for: (127\.0\.0\.1|::1)$' "$work/request")"
check "X-Forwarded-Proto is sent" http "$(field request x-forwarded-proto)"
check "X-Forwarded-Host is sent" proxy.localhost "$(field request x-forwarded-host)"
check "Forwarded is sent" 1 "$(grep -ciE '^forwarded: .*for=.*proto=http|^forwarded: .*proto=http.*for=' "$work/request")"
check "X-Powered-By is added upstream" BWS "$(field request x-powered-by)"
check "X-Powered-By is added to the answer" BWS "$(field response x-powered-by)"
check "X-Internal-Header does not go upstream" "" "$(field request x-internal-header)"
check "X-Internal-Header does not come back" "" "$(field response x-internal-header)"

echo
echo "Bodies and methods"
check "a body and a status come back as they are" "hello 201" \
  "$(curl -s -X PUT -d hello -w ' %{http_code}' http://localhost:8080/api/echo)"

echo
echo "Files and BWS's own endpoints"
check "/ is static HTML" 1 "$(curl -s http://localhost:8080/ | grep -c 'Static HTML from BWS')"
check "a path that is no file is 404" 404 "$(curl -s -o /dev/null -w '%{http_code}' http://localhost:8080/nothing)"
check "/api/health is BWS's own" 1 "$(curl -s http://localhost:8080/api/health | grep -c '"status":"healthy"')"

echo
echo "Backends that are down"
end 3003
check "without 3003 the others answer all" 30 \
  "$(curl -s "http://localhost:8080/api/test?[1-30]" | grep -c '^300[12]$')"
end 3001
end 3002
check "without any backend: 502 Bad Gateway" 502 \
  "$(curl -s -o /dev/null -w '%{http_code}' http://localhost:8080/api/test)"
check "files are still served" 1 "$(curl -s http://localhost:8080/ | grep -c 'Static HTML from BWS')"

echo
echo "$passed passed, $failed failed"
if ((failed > 0)); then
  echo "The end of BWS's log:"
  tail -n 5 "$work/bws.log"
  exit 1
fi
