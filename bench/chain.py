"""Gas of whole transactions on an anvil of its own: what deploying and verifying really use, ours and EZKL's alike."""

from __future__ import annotations

import json
import subprocess
import time
import urllib.request
from pathlib import Path

# The optional package that carries the binaries is one per platform; npm links them here.
TOOLS = Path(__file__).resolve().parent.parent / "node_modules" / ".bin"
# Larger contracts than EIP-170 allows are measured too: that they cannot be deployed is said elsewhere.
SIZE_LIMIT = 1 << 20


class Chain:
    """Started with the block, ended with it."""

    def __enter__(self) -> "Chain":
        command = [TOOLS / "anvil", "--port", "0", "--hardfork", "osaka", "--code-size-limit", str(SIZE_LIMIT)]
        self.process = subprocess.Popen([*command, "--gas-limit", "1000000000"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        for line in self.process.stdout or ():
            if line.startswith("Listening on "):
                self.url = "http://" + line.removeprefix("Listening on ").strip()
                break
        else:
            raise SystemExit("anvil did not start")
        self.account = self.ask("eth_accounts")[0]
        return self

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        self.process.wait()

    def ask(self, method: str, *parameters: object) -> object:
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": parameters}).encode()
        request = urllib.request.Request(self.url, body, {"content-type": "application/json"})
        with urllib.request.urlopen(request, timeout=60) as answer:
            said = json.load(answer)
        if "error" in said:
            raise SystemExit(f"anvil refuses {method}: {said['error']['message']}")
        return said["result"]

    def send(self, data: str, to: str | None = None) -> dict:
        call = {"from": self.account, "data": data, "gas": hex(200_000_000), **({"to": to} if to else {})}
        sent = self.ask("eth_sendTransaction", call)
        for _ in range(200):
            receipt = self.ask("eth_getTransactionReceipt", sent)
            if receipt:
                break
            time.sleep(0.05)
        else:
            raise SystemExit("anvil does not mine the transaction")
        if int(receipt["status"], 16) != 1:
            raise SystemExit("the contract refuses its own proof, or cannot be deployed")
        return receipt

    def gas(self, creation: str, calldata: str) -> dict[str, int]:
        """Deploys, verifies."""
        deployed = self.send(creation)
        used = [deployed, self.send(calldata, deployed["contractAddress"])]
        return dict(zip(("deploy", "verify"), (int(receipt["gasUsed"], 16) for receipt in used)))


def calldata(signature: str, arguments: list[object]) -> str:
    texts = [f"[{','.join(a)}]" if isinstance(a, list) else str(a) for a in arguments]
    done = subprocess.run([TOOLS / "cast", "calldata", signature, *texts], stdout=subprocess.PIPE, text=True, check=True)
    return done.stdout.strip()
