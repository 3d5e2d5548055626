#include "libs/risk_model/cholesky.h"

#include <cmath>

namespace rapport::risk_model {

void SymmetricMatrix::AddSquare(absl::Span<const double> v, double factor) {
  for (size_t i = 0; i < size_; ++i) {
    double* const row = &values_[i * size_];
    for (size_t k = 0; k <= i; ++k) row[k] += factor * v[i] * v[k];
  }
}

std::optional<Cholesky> Cholesky::Of(const SymmetricMatrix& matrix) {
  Cholesky cholesky(matrix.size());
  SymmetricMatrix& factor = cholesky.factor_;
  for (size_t i = 0; i < matrix.size(); ++i) {
    for (size_t k = 0; k <= i; ++k) {
      double rest = matrix.At(i, k);
      for (size_t j = 0; j < k; ++j) rest -= factor.At(i, j) * factor.At(k, j);
      if (k < i) {
        factor.At(i, k) = rest / factor.At(k, k);
      } else {
        if (!(rest > 0)) return std::nullopt;
        factor.At(i, i) = std::sqrt(rest);
      }
    }
  }
  return cholesky;
}

std::vector<double> Cholesky::Solve(absl::Span<const double> b) const {
  const size_t size = factor_.size();
  std::vector<double> x(b.begin(), b.end());
  for (size_t i = 0; i < size; ++i) {
    for (size_t k = 0; k < i; ++k) x[i] -= factor_.At(i, k) * x[k];
    x[i] /= factor_.At(i, i);
  }
  for (size_t i = size; i-- > 0;) {
    for (size_t k = i + 1; k < size; ++k) x[i] -= factor_.At(k, i) * x[k];
    x[i] /= factor_.At(i, i);
  }
  return x;
}

SymmetricMatrix Cholesky::Inverse() const {
  const size_t size = factor_.size();
  SymmetricMatrix inverse(size);
  for (size_t k = 0; k < size; ++k) {
    std::vector<double> unit(size);
    unit[k] = 1;
    const std::vector<double> column = Solve(unit);
    for (size_t i = k; i < size; ++i) inverse.At(i, k) = column[i];
  }
  return inverse;
}

}  // namespace rapport::risk_model
