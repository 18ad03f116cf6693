import json, socket, sys, urllib.request

host, query_port = sys.argv[1:] + ['127.0.0.1', '9000'][len(sys.argv) - 1:]
body = json.dumps({'resourceType': 'gameserver', 'namespace': 'games', 'labelSelector': {'map': 'de_dust2'}}).encode()
request = urllib.request.Request(f'http://{host}:{query_port}/query', body, {'content-type': 'application/json'})
try:
    answer = json.load(urllib.request.urlopen(request, timeout=5))
    data_port = answer['dataPorts'][0]
    director = (data_port.get('address', host), data_port['port'])
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.settimeout(5)
        udp.sendto(answer['token'].encode(), director)
        udp.sendto(b'hello', director)
        print(udp.recv(65507).decode())
except OSError as error:  # no connection, no token, no answer in time
    sys.exit(f'{host} did not give what was asked for: {error}')
