using System.Net.Http;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;

var (host, queryPort) = args.Length == 2 ? (args[0], args[1]) : ("127.0.0.1", "9000");
var query = JsonSerializer.Serialize(new { resourceType = "gameserver", @namespace = "games", labelSelector = new { map = "de_dust2" } });
using var http = new HttpClient();
using var answer = await http.PostAsync($"http://{host}:{queryPort}/query", new StringContent(query, Encoding.UTF8, "application/json"));
using var json = JsonDocument.Parse(await answer.EnsureSuccessStatusCode().Content.ReadAsStringAsync());
using var udp = new UdpClient(host, json.RootElement.GetProperty("dataPorts")[0].GetProperty("port").GetInt32());
var token = Encoding.ASCII.GetBytes(json.RootElement.GetProperty("token").GetString()!);
var hello = Encoding.UTF8.GetBytes("hello");
await udp.SendAsync(token, token.Length);
await udp.SendAsync(hello, hello.Length);
System.Console.WriteLine(Encoding.UTF8.GetString((await udp.ReceiveAsync()).Buffer));
