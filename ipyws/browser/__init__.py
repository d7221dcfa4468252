"""What ipyws is made of in a browser (Pyodide, JupyterLite), where there are no threads and no sockets.

Only `ipyws.runtime.core` leads here, and only where `ipyws.runtime.platform` says that it has to.
"""
