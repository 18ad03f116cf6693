using System;
using System.Net.Http;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using System.Threading;

var host = args.Length > 0 ? args[0] : "127.0.0.1";
var queryPort = args.Length > 1 ? args[1] : "9000";
var query = JsonSerializer.Serialize(new { resourceType = "gameserver", @namespace = "games", labelSelector = new { map = "de_dust2" } });
using var late = new CancellationTokenSource(TimeSpan.FromSeconds(5));
try
{
    using var http = new HttpClient();
    using var answer = await http.PostAsync($"http://{host}:{queryPort}/query", new StringContent(query, Encoding.UTF8, "application/json"), late.Token);
    using var json = JsonDocument.Parse(await answer.EnsureSuccessStatusCode().Content.ReadAsStringAsync(late.Token));
    var dataPort = json.RootElement.GetProperty("dataPorts")[0];
    var address = dataPort.TryGetProperty("address", out var advertised) ? advertised.GetString()! : host;
    using var udp = new UdpClient(address, dataPort.GetProperty("port").GetInt32());
    var token = Encoding.ASCII.GetBytes(json.RootElement.GetProperty("token").GetString()!);
    var hello = Encoding.UTF8.GetBytes("hello");
    await udp.SendAsync(token, token.Length);
    await udp.SendAsync(hello, hello.Length);
    Console.WriteLine(Encoding.UTF8.GetString((await udp.ReceiveAsync(late.Token)).Buffer));
    return 0;
}
catch (Exception error) when (error is HttpRequestException or SocketException or OperationCanceledException)
{
    Console.Error.WriteLine($"{host} did not give what was asked for: {(late.IsCancellationRequested ? "no answer within 5 s" : error.Message)}");
    return 1;
}
