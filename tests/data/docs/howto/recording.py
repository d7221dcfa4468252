import ipyws

echo = ipyws.serve("echo")
url = echo.url
