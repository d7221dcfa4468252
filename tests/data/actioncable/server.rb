# ActionCable by Debian's package ruby-actioncable, on Puma; ends when its input does.
#
# Its arguments: seconds between pings, and the port.
#
# Tells, as lines of JSON: {"port": 1234} first, then what its channels are told.

require "json"
require "logger"
require "active_support"
require "action_cable"
require "puma"

$stdout.sync = true
def say(fact) = puts(JSON.generate(fact))

class Connection < ActionCable::Connection::Base
  identified_by :user

  def connect
    self.user = request.params["user"]
    reject_unauthorized_connection if user == "nobody"
  end
end

class ChatChannel < ActionCable::Channel::Base
  def subscribed
    return reject if params[:room] == "closed"

    stream_from "chat_#{params[:room]}"
  end

  def unsubscribed = say({ left: params[:room] })

  def speak(data)
    say({ spoken: data })
    ActionCable.server.broadcast("chat_#{params[:room]}", { text: data["text"] })
  end

  def leave = connection.close(reason: "server_restart", reconnect: true)
end

config = ActionCable.server.config
config.cable = { "adapter" => "async" }
config.logger = Logger.new(IO::NULL)
config.connection_class = -> { Connection }
config.disable_request_forgery_protection = true

# Rails sends a ping every 3 s; a test has no such patience.
ActionCable::Server::Connections.send(:remove_const, :BEAT_INTERVAL)
ActionCable::Server::Connections::BEAT_INTERVAL = Float(ARGV[0] || 3)

server = Puma::Server.new(ActionCable.server)
port = server.add_tcp_listener("127.0.0.1", Integer(ARGV[1] || 0)).addr[1]
server.run
say({ port: port })
Thread.new { $stdin.read; exit!(0) }.join
