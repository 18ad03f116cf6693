"""A client whose datagrams may be cut on their way, and may have headers before that of UDP. It sends a token and then data,
again until it is answered, and prints who answered and how many bytes. Arguments: address, port, token, bytes, headers."""
import socket, sys

IP_MTU_DISCOVER, IP_OPTIONS, IPV6_HOPOPTS, IPV6_DSTOPTS = 10, 4, 54, 59
NOTHING_V4, NOTHING_V6 = b'\x01' * 8, bytes([0, 0, 1, 4, 0, 0, 0, 0])
HEADERS = {'options': (socket.IPPROTO_IP, IP_OPTIONS, NOTHING_V4), 'hop-by-hop': (socket.IPPROTO_IPV6, IPV6_HOPOPTS, NOTHING_V6), 'destination': (socket.IPPROTO_IPV6, IPV6_DSTOPTS, NOTHING_V6)}

address, port, token, count = sys.argv[1], int(sys.argv[2]), sys.argv[3].encode(), int(sys.argv[4])
client = socket.socket(socket.AF_INET6 if ':' in address else socket.AF_INET, socket.SOCK_DGRAM)
if ':' not in address:
    client.setsockopt(socket.IPPROTO_IP, IP_MTU_DISCOVER, 0)
client.connect((address, port))
client.settimeout(0.5)
client.send(token)
for header in sys.argv[5:]:
    client.setsockopt(*HEADERS[header])
answer = b'nobody:'
# As long as whoever started it waits for anything.
for _ in range(240):
    client.send(b'x' * count)
    try:
        answer = client.recv(65535)
        break
    except socket.timeout:
        client.send(token)
print(answer.split(b':')[0].decode(), len(answer.partition(b':')[2]))
