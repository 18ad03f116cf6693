"""A game on ENet (libenet7, enet.bespin.org), through the C library itself.

enet_lines.py server ADDRESS PORT            answers every packet with its own bytes
enet_lines.py client ADDRESS PORT TOKEN      redeems the token on ENet's own socket, then sends a number every 50 ms

Prints a line for what happens: "connected ADDRESS", "lost", and of the client every number that was answered.
"""
import ctypes
import socket
import struct
import sys
import time

enet = ctypes.CDLL('libenet.so.7')
CONNECT, DISCONNECT, RECEIVE = 1, 2, 3
RELIABLE = 1
PERIOD = 0.05


class Address(ctypes.Structure):
    _fields_ = [('host', ctypes.c_uint32), ('port', ctypes.c_uint16)]


class Buffer(ctypes.Structure):  # of unix.h
    _fields_ = [('data', ctypes.c_char_p), ('length', ctypes.c_size_t)]


class Packet(ctypes.Structure):
    _fields_ = [('references', ctypes.c_size_t), ('flags', ctypes.c_uint32), ('data', ctypes.POINTER(ctypes.c_char)), ('length', ctypes.c_size_t)]


class Peer(ctypes.Structure):  # its beginning
    _fields_ = [('links', ctypes.c_void_p * 3), ('ids', ctypes.c_uint16 * 2), ('connect', ctypes.c_uint32), ('sessions', ctypes.c_uint8 * 2), ('address', Address)]


class Event(ctypes.Structure):
    _fields_ = [('type', ctypes.c_int), ('peer', ctypes.POINTER(Peer)), ('channel', ctypes.c_uint8), ('data', ctypes.c_uint32), ('packet', ctypes.POINTER(Packet))]


for name in ('enet_host_create', 'enet_host_connect', 'enet_packet_create'):
    getattr(enet, name).restype = ctypes.c_void_p
enet.enet_host_create.argtypes = [ctypes.POINTER(Address), ctypes.c_size_t, ctypes.c_size_t, ctypes.c_uint32, ctypes.c_uint32]
enet.enet_host_connect.argtypes = [ctypes.c_void_p, ctypes.POINTER(Address), ctypes.c_size_t, ctypes.c_uint32]
enet.enet_packet_create.argtypes = [ctypes.c_char_p, ctypes.c_size_t, ctypes.c_uint32]
enet.enet_peer_send.argtypes = [ctypes.c_void_p, ctypes.c_uint8, ctypes.c_void_p]
enet.enet_packet_destroy.argtypes = [ctypes.c_void_p]
enet.enet_host_service.argtypes = [ctypes.c_void_p, ctypes.POINTER(Event), ctypes.c_uint32]
enet.enet_socket_send.argtypes = [ctypes.c_int, ctypes.POINTER(Address), ctypes.POINTER(Buffer), ctypes.c_size_t]


def say(*words):
    print(*words, flush=True)


def address_of(text, port):
    return Address(struct.unpack('=I', socket.inet_aton(text))[0], int(port))


def place_of(peer):
    address = peer.contents.address
    return f'{socket.inet_ntoa(struct.pack("=I", address.host))}:{address.port}'


def send(peer, data):
    enet.enet_peer_send(peer, 0, enet.enet_packet_create(data, len(data), RELIABLE))


def serve(place):
    host = enet.enet_host_create(ctypes.byref(place), 64, 1, 0, 0)
    event = Event()
    say('ready')
    while True:
        if enet.enet_host_service(host, ctypes.byref(event), 100) <= 0:
            continue
        if event.type == CONNECT:
            say('connected', place_of(event.peer))
        elif event.type == DISCONNECT:
            say('lost')
        elif event.type == RECEIVE:
            packet = event.packet.contents
            send(event.peer, packet.data[:packet.length])
            enet.enet_packet_destroy(event.packet)


def play(place, token):
    host = enet.enet_host_create(None, 1, 1, 0, 0)
    socket_of_host = ctypes.cast(host, ctypes.POINTER(ctypes.c_int))[0]  # its first field
    enet.enet_socket_send(socket_of_host, ctypes.byref(place), ctypes.byref(Buffer(token, len(token))), 1)
    enet.enet_host_connect(host, ctypes.byref(place), 1, 0)
    event, peer, number, due = Event(), None, 0, 0.0
    while True:
        if peer and time.monotonic() >= due:
            due = time.monotonic() + PERIOD
            number += 1
            send(peer, str(number).encode())
        if enet.enet_host_service(host, ctypes.byref(event), 5) <= 0:
            continue
        if event.type == CONNECT:
            say('connected', place_of(event.peer))
            # The address itself: a pointer of the event changes with the event.
            peer = ctypes.cast(event.peer, ctypes.c_void_p).value
        elif event.type == DISCONNECT:
            # The same socket again, and no query.
            peer = None
            say('lost')
            enet.enet_host_connect(host, ctypes.byref(place), 1, 0)
        elif event.type == RECEIVE:
            packet = event.packet.contents
            say(packet.data[:packet.length].decode())
            enet.enet_packet_destroy(event.packet)


enet.enet_initialize()
role, address, port, *rest = sys.argv[1:]
if role == 'server':
    serve(address_of(address, port))
else:
    play(address_of(address, port), rest[0].encode())
