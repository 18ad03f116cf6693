"""A game on QUIC (RFC 9000), by aioquic from PyPI.

quic_lines.py server ADDRESS PORT            answers every stream with its own bytes
quic_lines.py client ADDRESS PORT TOKEN      redeems the token on the connection's own socket, then sends a number every 50 ms

Prints a line for what happens: "connected", "from ADDRESS" (the server, when a client has another one), "lost", and of the
client every number that was answered.
"""
import asyncio
import datetime
import ssl
import sys

from aioquic.asyncio.protocol import QuicConnectionProtocol
from aioquic.asyncio.server import serve
from aioquic.quic.configuration import QuicConfiguration
from aioquic.quic.connection import QuicConnection
from aioquic.quic.events import ConnectionTerminated, HandshakeCompleted, StreamDataReceived
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

PERIOD = 0.05
ALPN = ['lines']


def say(*words):
    print(*words, flush=True)


class Lines(QuicConnectionProtocol):
    place = None

    def datagram_received(self, data, addr):
        super().datagram_received(data, addr)
        if not self._quic.configuration.is_client and addr != self.place:
            self.place = addr
            say('from', f'{addr[0]}:{addr[1]}')

    def quic_event_received(self, event):
        if isinstance(event, HandshakeCompleted):
            say('connected')
        elif isinstance(event, ConnectionTerminated):
            say('lost')
        elif isinstance(event, StreamDataReceived) and self._quic.configuration.is_client:
            say(event.data.decode())
        elif isinstance(event, StreamDataReceived):
            self._quic.send_stream_data(event.stream_id, event.data)
            self.transmit()


def self_signed():
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, 'lines')])
    now = datetime.datetime.now(datetime.timezone.utc)
    certificate = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(1)
    certificate = certificate.not_valid_before(now - datetime.timedelta(days=1)).not_valid_after(now + datetime.timedelta(days=1))
    return certificate.sign(key, hashes.SHA256()), key


async def server(address, port):
    configuration = QuicConfiguration(is_client=False, alpn_protocols=ALPN)
    configuration.certificate, configuration.private_key = self_signed()
    await serve(address, port, configuration=configuration, create_protocol=Lines)
    say('ready')
    await asyncio.Event().wait()


async def client(address, port, token):
    configuration = QuicConfiguration(is_client=True, alpn_protocols=ALPN, verify_mode=ssl.CERT_NONE, server_name='lines')
    loop = asyncio.get_running_loop()
    transport, protocol = await loop.create_datagram_endpoint(lambda: Lines(QuicConnection(configuration=configuration)), local_addr=('0.0.0.0', 0))
    transport.sendto(token.encode(), (address, port))
    protocol.connect((address, port))
    await protocol.wait_connected()
    number = 0
    while True:
        number += 1
        # A stream for each: a lost one holds up no other.
        protocol._quic.send_stream_data(protocol._quic.get_next_available_stream_id(), str(number).encode(), end_stream=True)
        protocol.transmit()
        await asyncio.sleep(PERIOD)


role, address, port, *rest = sys.argv[1:]
asyncio.run(server(address, int(port)) if role == 'server' else client(address, int(port), rest[0]))
