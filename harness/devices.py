"""What accelerators can do at best: dense bf16 matrix products, memory bandwidth, memory. Declarations with sources."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Device:
    name: str
    flops: float
    """dense bf16 operations a second, float32 accumulation"""
    bandwidth: float
    """bytes a second"""
    memory: int
    """bytes"""
    source: str


NVIDIA = "https://www.nvidia.com/en-us/data-center"
DEVICES = {
    device.name: device
    for device in (
        Device("t4", 65e12, 320e9, 16 * 10**9, f"{NVIDIA}/tesla-t4/ (float16: it has no bf16)"),
        Device("l4", 121e12, 300e9, 24 * 10**9, f"{NVIDIA}/l4/"),
        Device("l40s", 362e12, 864e9, 48 * 10**9, f"{NVIDIA}/l40s/"),
        Device("a10", 125e12, 600e9, 24 * 10**9, f"{NVIDIA}/products/a10-gpu/"),
        Device("a100-40gb", 312e12, 1555e9, 40 * 10**9, f"{NVIDIA}/a100/"),
        Device("a100-80gb", 312e12, 2039e9, 80 * 10**9, f"{NVIDIA}/a100/ (SXM)"),
        Device("h100", 989e12, 3350e9, 80 * 10**9, f"{NVIDIA}/h100/ (SXM)"),
        Device("h200", 989e12, 4800e9, 141 * 10**9, f"{NVIDIA}/h200/ (SXM)"),
        Device("rtx-3090", 71e12, 936e9, 24 * 10**9, "NVIDIA Ampere GA102 whitepaper, table 2"),
        Device("rtx-4090", 165e12, 1008e9, 24 * 10**9, "NVIDIA Ada GPU architecture whitepaper, table 2"),
    )
}


def of_card(name: str) -> Device | None:
    """The device that a driver calls `name`, such as "NVIDIA A100-SXM4-80GB"; None if it is not declared."""
    words = set(name.lower().replace("-", " ").split())
    found = [device for device in DEVICES.values() if set(device.name.split("-")) <= words]
    return max(found, key=lambda device: len(device.name), default=None)
