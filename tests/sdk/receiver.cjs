// Receives CloudEvents with the SDK for JavaScript and prints, a line each, what the SDK made of them.
// The first line is the port. Header values are percent-decoded here: version 8 of the SDK does not do it.
const http = require("http");
const { HTTP } = require("cloudevents");

const server = http.createServer((request, response) => {
  const chunks = [];
  request.on("data", (chunk) => chunks.push(chunk));
  request.on("end", () => {
    try {
      const headers = {};
      for (const [name, value] of Object.entries(request.headers)) headers[name] = name.startsWith("ce-") ? decodeURIComponent(value) : value;
      const body = Buffer.concat(chunks);
      const binary = "ce-id" in headers;
      const text = binary && headers["content-type"] === "application/octet-stream" ? body : body.toString("utf8");
      const event = HTTP.toEvent({ headers, body: text });
      event.validate();
      const plain = event.toJSON();
      plain.mode = binary ? "binary" : "structured";
      if (Buffer.isBuffer(event.data)) plain.data_base64 = event.data.toString("base64");
      if (Buffer.isBuffer(event.data)) delete plain.data;
      console.log(JSON.stringify(plain));
      response.writeHead(204).end();
    } catch (error) {
      console.log(JSON.stringify({ refused: String(error), headers: request.headers }));
      response.writeHead(400).end(String(error));
    }
  });
});
server.listen(0, "127.0.0.1", () => console.log(server.address().port));
