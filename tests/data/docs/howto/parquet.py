from pathlib import Path

import ipyws

echo = ipyws.serve("echo")
url = echo.url

# A folder of captures.
Path("captures").mkdir()
for number in range(3):
    with ipyws.connect(url, name="recorded") as recorded:
        recorded.send_all([{"price": number + each} for each in range(10)])
        recorded.expect({"price": number + 9})
        recorded.log.save(f"captures/{number}.parquet", columns=["price"])
