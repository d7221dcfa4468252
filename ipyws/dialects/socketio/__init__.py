"""Socket.IO: the protocol of its revision 5 over Engine.IO 4, without I/O."""
