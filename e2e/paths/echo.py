"""A UDP server: answers every datagram with its name, a colon and the datagram. Arguments: address, port, name."""
import socket, sys

address, port, name = sys.argv[1], int(sys.argv[2]), sys.argv[3]
server = socket.socket(socket.AF_INET6 if ':' in address else socket.AF_INET, socket.SOCK_DGRAM)
server.bind((address, port))
while True:
    data, client = server.recvfrom(65535)
    server.sendto(name.encode() + b':' + data, client)
