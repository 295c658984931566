"""LoRA that starts elsewhere."""
