"""Hidden states at chosen tokens are edited; the model's weights stay."""
