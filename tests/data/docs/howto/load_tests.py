import os

import ipyws

os.environ["SHOP_TOKEN"] = "a-token-of-the-shop"
echo = ipyws.serve("echo")
url = echo.url
