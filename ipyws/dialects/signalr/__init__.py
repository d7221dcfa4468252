"""SignalR: the hub protocol of ASP.NET Core in JSON and in MessagePack, without I/O."""
