import ipyws

prices = ipyws.serve("prices")
url = prices.url
