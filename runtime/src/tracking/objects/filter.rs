use nalgebra::{Matrix2, Matrix4, Vector2, Vector4};

/// Slower turning is taken as none.
const LEAST_TURN_RADPS: f64 = 0.02;

/// Position and velocity in the plane: x, y (m), vx, vy (m/s).
#[derive(Clone, Copy, Debug)]
pub(super) struct MotionFilter {
    pub state: Vector4<f64>,
    pub spread: Matrix4<f64>,
}

impl MotionFilter {
    /// Moves on by `dt_s` at constant speed along an arc of constant turning rate.
    ///
    /// `unrest` is what the model does not know: the variance that each axis of the velocity gains
    /// in a second, m²/s³.
    pub(super) fn predict(&mut self, dt_s: f64, yaw_rate_radps: f64, unrest: f64) {
        let turn = if yaw_rate_radps.abs() > LEAST_TURN_RADPS {
            yaw_rate_radps * dt_s
        } else {
            0.0
        };
        let identity = Matrix2::identity();
        let (chord, turned) = (rotation(0.5 * turn) * dt_s, rotation(turn));
        let mut transition = Matrix4::zeros();
        transition.fixed_view_mut::<2, 2>(0, 0).copy_from(&identity);
        transition.fixed_view_mut::<2, 2>(0, 2).copy_from(&chord);
        transition.fixed_view_mut::<2, 2>(2, 2).copy_from(&turned);
        self.state = transition * self.state;
        self.spread = transition * self.spread * transition.transpose();
        let [place, both, speed] = wandering(unrest, dt_s);
        for axis in 0..2 {
            self.spread[(axis, axis)] += place;
            self.spread[(axis, axis + 2)] += both;
            self.spread[(axis + 2, axis)] += both;
            self.spread[(axis + 2, axis + 2)] += speed;
        }
    }

    /// Takes in a measurement of the whole state.
    pub(super) fn update(&mut self, measured: &Vector4<f64>, noise: &Matrix4<f64>) {
        let Some(inverse) = (self.spread + noise).try_inverse() else {
            return;
        };
        let gain = self.spread * inverse;
        self.state += gain * (measured - self.state);
        let rest = Matrix4::identity() - gain;
        // Joseph's form stays symmetric and positive whatever the rounding.
        self.spread = rest * self.spread * rest.transpose() + gain * noise * gain.transpose();
    }
}

/// An angle and its rate.
#[derive(Clone, Copy, Debug)]
pub(super) struct HeadingFilter {
    pub state: Vector2<f64>,
    pub spread: Matrix2<f64>,
}

impl HeadingFilter {
    /// Moves on by `dt_s`; `unrest` is the variance that the turning rate gains in a second, rad²/s³.
    pub(super) fn predict(&mut self, dt_s: f64, unrest: f64) {
        let transition = Matrix2::new(1.0, dt_s, 0.0, 1.0);
        self.state = transition * self.state;
        self.spread = transition * self.spread * transition.transpose();
        let [place, both, speed] = wandering(unrest, dt_s);
        self.spread += Matrix2::new(place, both, both, speed);
    }

    /// Takes in the innovation of angle and rate with their deviations.
    pub(super) fn update(&mut self, innovation: &Vector2<f64>, deviation: [f64; 2]) {
        let noise = Matrix2::new(deviation[0].powi(2), 0.0, 0.0, deviation[1].powi(2));
        let Some(inverse) = (self.spread + noise).try_inverse() else {
            return;
        };
        let gain = self.spread * inverse;
        self.state += gain * innovation;
        let rest = Matrix2::identity() - gain;
        self.spread = rest * self.spread * rest.transpose() + gain * noise * gain.transpose();
    }
}

/// Variance of the place, covariance, and variance of the speed that white acceleration makes in
/// `dt_s`.
fn wandering(unrest: f64, dt_s: f64) -> [f64; 3] {
    let speed = unrest * dt_s;
    [speed * dt_s * dt_s / 3.0, speed * dt_s / 2.0, speed]
}

fn rotation(angle_rad: f64) -> Matrix2<f64> {
    let (sin, cos) = angle_rad.sin_cos();
    Matrix2::new(cos, -sin, sin, cos)
}

#[cfg(test)]
mod tests {
    use nalgebra::{Matrix4, Vector4};

    use super::MotionFilter;

    #[test]
    fn a_turning_object_stays_on_its_circle() {
        // 10 m/s at 0.5 rad/s: a circle of 20 m radius around (0, 20).
        let mut filter = MotionFilter {
            state: Vector4::new(0.0, 0.0, 10.0, 0.0),
            spread: Matrix4::identity(),
        };
        for _ in 0..20 {
            filter.predict(0.1, 0.5, 0.0);
        }
        let radius = filter.state[0].hypot(filter.state[1] - 20.0);
        assert!((radius - 20.0).abs() < 0.05, "{radius}");
        assert!((filter.state[2].hypot(filter.state[3]) - 10.0).abs() < 1e-9);
    }

    #[test]
    fn equal_trust_meets_half_way() {
        let mut filter = MotionFilter {
            state: Vector4::zeros(),
            spread: Matrix4::identity(),
        };
        filter.update(&Vector4::repeat(2.0), &Matrix4::identity());
        assert!((filter.state - Vector4::repeat(1.0)).norm() < 1e-9);
        assert!((filter.spread - Matrix4::identity() * 0.5).norm() < 1e-9);
    }
}
