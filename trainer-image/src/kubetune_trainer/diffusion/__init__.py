"""What a recipe for diffusion models needs: captioned pictures, their latents, rendered samples."""
