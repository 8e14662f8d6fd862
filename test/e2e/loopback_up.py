"""Brings the loopback interface of a fresh network namespace up, where iproute2 is not installed."""
import fcntl
import socket
import struct

SIOCSIFFLAGS = 0x8914  # <linux/sockios.h>
IFF_UP, IFF_RUNNING = 0x1, 0x40  # <linux/if.h>

with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
    fcntl.ioctl(any_socket, SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", IFF_UP | IFF_RUNNING))
