"""LoRA's parameters, another rule for updating them."""
