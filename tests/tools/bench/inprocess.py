"""Compiles slabtui's programs with bcc in this process and waits, as slabtui once did; for any Python that has bcc."""

import json
import os
import sys
import time

with open(sys.argv[1], encoding="utf-8") as file:
    request = json.load(file)
os.environ["BCC_KERNEL_SOURCE"] = request["headers"]

import bcc

program = bcc.BPF(text=request["source"], cflags=request["cflags"])
print("compiled", flush=True)
time.sleep(3600)
