#!/usr/bin/env bash
# Starts WebSocket upstreams and BWS with test_websocket_proxy.toml, and checks WebSockets through it from outside.
# The ports are those of the specification: BWS on 8080 (and 8081 for least_connections), upstreams on 3001 and 3002.
#
#   tests/test_websocket_proxy.sh            all checks, then it ends
#   tests/test_websocket_proxy.sh --serve    no checks: http://localhost:8080/ is a page to play with, until Ctrl-C

set -u
# Each background job is a process group of its own, so that it can be ended with all its children.
set -m
cd "$(dirname "$0")/.." || exit 1

case "${1:-}" in
  "") serve=no ;;
  --serve) serve=yes ;;
  *)
    echo "Usage: tests/test_websocket_proxy.sh [--serve]"
    exit 2
    ;;
esac

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

await_line() { # await_line FILE PATTERN: prints how many lines match, as soon as one does
  local _
  for _ in {1..100}; do
    grep -q "$2" "$1" && break
    sleep 0.05
  done
  grep -c "$2" "$1"
}

# How often each upstream answered, as "3001:10 3002:10".
tally() { sort | uniq -c | awk '{ printf "%s%s:%s", (NR > 1 ? " " : ""), $2, $1 }'; }

start_upstream() { # start_upstream PORT
  "${deno[@]}" run --quiet --no-config --allow-net tests/websocket_script/upstream.ts "$1" >>"$work/$1.log" 2>&1 &
  jobs[$1]=$!
  await_port "$1" "$work/$1.log"
}

client() { "${deno[@]}" run --quiet --no-config --allow-net tests/websocket_script/client.ts "$@" 2>&1; }

handshake() { # handshake PATH [CURL ARGUMENT…]: body and status of the answer to a request for a WebSocket
  local path=$1
  shift
  curl -s --max-time 5 -w '%{http_code}' -H "Connection: keep-alive, Upgrade" -H "Upgrade: WebSocket" \
    -H "Sec-WebSocket-Version: 13" -H "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==" "$@" "http://localhost:8080$path"
}

for port in 8080 8081 3001 3002; do
  if listens "$port"; then
    echo "Port $port is in use. Stop the program that has it, and try again."
    exit 1
  fi
done

echo "Starting WebSocket upstreams on ports 3001 and 3002, and BWS on 8080 and 8081"
start_upstream 3001
start_upstream 3002
mkdir "$work/static"
"${deno[@]}" run --quiet tests/websocket_script/page.ts >"$work/static/index.html" || exit 1
cp tests/test_websocket_proxy.toml "$work/config.toml"
"${deno[@]}" run --quiet -A main.ts --config "$work/config.toml" >"$work/bws.log" 2>&1 &
jobs[$bws]=$!
for port in 8080 8081; do await_port "$port" "$work/bws.log"; done

if [[ $serve == yes ]]; then
  echo
  echo "Open http://localhost:8080/ and connect. To see sockets move to the other upstream, end one of them:"
  echo "  kill -9 ${jobs[3001]}    (3001)"
  echo "  kill -9 ${jobs[3002]}    (3002)"
  echo "It comes back after five seconds. Ctrl-C ends it all."
  while sleep 1; do
    for port in 3001 3002; do
      kill -0 "${jobs[$port]}" 2>/dev/null && continue
      echo "$port has ended"
      sleep 5
      start_upstream "$port"
      echo "$port is back: kill -9 ${jobs[$port]}"
    done
  done 2>/dev/null # Bash's own word on what was killed
fi

chat=ws://localhost:8080/ws/chat
notifications=ws://localhost:8080/ws/notifications
least=ws://localhost:8081/

echo
echo "Balancing"
check "round robin, 20 sockets: 10 for each upstream" "3001:10 3002:10" "$(client names $chat 20 | tally)"
check "the other route shares the pool: 5 for each" "3001:5 3002:5" "$(client names $notifications 10 | tally)"

echo
echo "Messages"
check "text and binary come back as they were sent, in order" "the same" "$(client echo $chat)"

echo
echo "Paths"
check "/ws/chat is stripped" "/room/7?user=a%20b" "$(client target "$chat/room/7?user=a%20b")"
check "/ws/notifications is not" "/ws/notifications/new?n=1" "$(client target "$notifications/new?n=1")"

echo
echo "Subprotocols"
check "the upstream's choice reaches the client" chat "$(client protocol $chat old,chat,notifications)"
check "another choice" notifications "$(client protocol $chat notifications)"
check "no choice" "" "$(client protocol $chat unheard-of)"

echo
echo "Header fields"
check "cookies arrive" "session=1; theme=dark" "$(client header $chat cookie "Cookie: session=1; theme=dark")"
check "Authorization arrives" "Bearer t" "$(client header $chat authorization "Authorization: Bearer t")"
check "Origin arrives" "http://site.test" "$(client header $chat origin "Origin: http://site.test")"
forwarded=$(client header $chat x-forwarded-for "X-Forwarded-For: 6.6.6.6")
check "X-Forwarded-For is the client's address ($forwarded), not what it claims" 1 \
  "$(grep -cE '^(127\.0\.0\.1|::1)$' <<<"$forwarded")"
check "X-Forwarded-Host is sent" localhost:8080 "$(client header $chat x-forwarded-host)"
check "X-Forwarded-Proto is sent" http "$(client header $chat x-forwarded-proto)"

echo
echo "Closing"
check "an upstream's code and reason reach the client" "4001 Enough for today" \
  "$(client closed $chat "close 4001 Enough for today")"
check "1000 too" "1000 Done" "$(client closed $chat "close 1000 Done")"
check "1001 too" "1001" "$(client closed $chat "close 1001")"
check "a client's code and reason are answered" "4002 Bye" "$(client close $chat 4002 Bye)"
cat "$work/3001.log" "$work/3002.log" >"$work/upstreams.log"
check "and reach the upstream" 1 "$(await_line "$work/upstreams.log" '^ended 4002 Bye$')"

echo
echo "Requests that get no WebSocket"
check "a refusal passes: 404 and its body" "nobody at 300x 404" \
  "$(handshake /ws/chat/nobody | tr '\n' ' ' | sed 's/300[12]/300x/')"
check "by host name too" "nobody at 300x 404" \
  "$(handshake /ws/chat/nobody -H "Host: ws.example.com" | tr '\n' ' ' | sed 's/300[12]/300x/')"
check "a route without websocket = true answers in plain HTTP" "plain HTTP at /plain 200" \
  "$(handshake /plain | tr '\n' ' ')"
check "so no socket opens there" refused "$(client refused ws://localhost:8080/plain)"
check "a route with it still answers plain HTTP" "plain HTTP at /page" "$(curl -s http://localhost:8080/ws/chat/page)"
check "another version is 426" 426 "$(handshake /ws/chat -o /dev/null -H "Sec-WebSocket-Version: 12")"
check "no key is 400" 400 "$(handshake /ws/chat -o /dev/null -H "Sec-WebSocket-Key;")"

echo
echo "The page"
curl -s http://localhost:8080/ >"$work/page"
check "/ is the page for testing connections" 1 "$(grep -c '<title>BWS WebSocket test' "$work/page")"
check "it knows both routes" 2 "$(grep -oE 'value="/ws/(chat|notifications)"' "$work/page" | wc -l | tr -d ' ')"

echo
echo "Upstreams that are down, and least connections"
client names $chat 2 hold >"$work/dying" &
jobs[$hold]=$!
await_line "$work/dying" 3002 >/dev/null
end 3002
# The code is 1014, which the page shows; the client's runtime knows only that the socket ended.
check "when 3002 dies, its sockets end" 1 "$(await_line "$work/dying" '^ended')"
check "without 3002, 3001 takes all" "3001:10" "$(client names $chat 10 | tally)"
end $hold
client names $least 4 hold >"$work/held" &
jobs[$hold]=$!
for _ in {1..100}; do
  [[ -s $work/held ]] && break
  sleep 0.05
done
check "3001 holds 4 sockets" "3001:4" "$(tally <"$work/held")"
start_upstream 3002
check "so 3002 gets the next 4 when it is back" "3002:4" "$(client names $least 4 | tally)"
end $hold
end 3001
end 3002
check "without any upstream: 502 Bad Gateway" 502 "$(handshake /ws/chat -o /dev/null)"
check "the page is still there" 200 "$(curl -s -o /dev/null -w '%{http_code}' http://localhost:8080/)"

echo
echo "$passed passed, $failed failed"
if ((failed > 0)); then
  echo "The end of BWS's log:"
  tail -n 5 "$work/bws.log"
  exit 1
fi
