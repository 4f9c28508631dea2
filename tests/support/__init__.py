"""What tests share: clients, made-up frames and summaries, random requests. Assertions here are explained too."""
