"""Small networks stand between the model's layers."""
