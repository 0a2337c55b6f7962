#!/bin/sh
# A relay: it passes each connection on to one of the containers that carry a
# service's name on a network.
#
#	relay SERVICE PORT NETWORK
#
# It runs on what busybox has. Only its own resolver asks the engine who carries
# a name: that of the C library prefers the address that is most like its own, and
# would never reach some of them.

PATH=/bin
set -f

if [ "$1" != --pass ]; then
	trap exit TERM # process 1 does not end by itself
	while :; do
		busybox nc -ll -p 8080 -e "$0" --pass "$@" &
		wait $!
		busybox sleep 1 # it ends when no process can be had
	done
fi

# One connection, which is standard input and output.
service=$2 port=$3 network=$4
exec 3<&0 </dev/null
set --

# In the background: while nobody has the name, old engines leave the question
# unanswered, and who waits for nslookup would wait as long as it does.
busybox nslookup -type=a "$service" 127.0.0.11 3<&- | {
	while read -r -t 2 line; do
		for word in $line; do
			case $word in
			127.* | *[!0-9.]*) ;; # the engine's own address, and no address
			*.*.*.*) [ $((RANDOM % 2)) = 0 ] && set -- "$@" "$word" || set -- "$word" "$@" ;;
			esac
		done
	done

	for address; do
		said=$(busybox nc -w 3 "$address" "$port" 2>&1 <&3 >&3 3<&-) && exit
		case $said in
		*"can't connect"* | *"timed out"*) ;; # nothing was passed on yet: the next
		*) exit ;;
		esac
	done

	# Nobody serves. Who speaks HTTP is told, and read to the end: to close
	# before that would take the answer back.
	read -r -t 1 line <&3
	case $line in
	*" HTTP/1."*) ;;
	*) exit ;;
	esac
	body="nobody serves $service: no container that answers carries this name on network $network"
	printf 'HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/plain\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s\n' $((${#body} + 1)) "$body" >&3
	busybox timeout 1 busybox cat <&3 3<&- >/dev/null
} &
